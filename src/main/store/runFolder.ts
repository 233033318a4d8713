import { constants, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors'
import { RunId, RunManifest } from '../contract/run'
import { buildFolder, writeDurable } from './atomic'
import { adoptLock, type HeldLock, type Lock, liveLock, takeLock } from './processLock'

const manifestFile = (runFolder: string) => join(runFolder, 'run.json')
const lockFile = (runFolder: string) => join(runFolder, 'lock')
export const trainerLog = (runFolder: string): string => join(runFolder, 'trainer.log')
/** The weights that a run begins with, where it was made from a checkpoint: a copy, so that it needs the other run no more. */
export const startFile = (runFolder: string): string => join(runFolder, 'start.safetensors')
export const exportsFolder = (runFolder: string): string => join(runFolder, 'exports')

/** Makes runs/<id> with its run.json, and with the weights to begin with, in one step. The id is the name, made fit for a folder, and the time. */
export function createRunFolder(runsFolder: string, draft: Omit<RunManifest, 'id' | 'createdAt' | 'format'>, start?: string): { folder: string; manifest: RunManifest } {
  const createdAt = Date.now()
  for (let attempt = 1; ; attempt++) {
    const id = runId(draft.recipe.name, createdAt, attempt)
    const folder = join(runsFolder, id)
    if (existsSync(folder)) continue
    const manifest: RunManifest = { format: 1, id, createdAt, ...draft }
    buildFolder(folder, temporary => {
      writeDurable(join(temporary, 'run.json'), `${JSON.stringify(manifest, null, 2)}\n`)
      mkdirSync(join(temporary, 'checkpoints'))
      if (start !== undefined) copyFileSync(start, startFile(temporary), constants.COPYFILE_FICLONE)
    })
    return { folder, manifest }
  }
}

function runId(name: string, createdAt: number, attempt: number): string {
  const words = name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 48).replace(/-+$/, '')
  const [day, time] = new Date(createdAt).toISOString().slice(2, 19).replace(/[-:]/g, '').split('T')
  return RunId.parse(`${words || 'run'}-${day}-${time}${attempt > 1 ? `-${attempt}` : ''}`)
}

/** The manifest of a run folder, or null where there is none that can be read. */
export function readManifest(runFolder: string): RunManifest | null {
  try {
    return RunManifest.parse(JSON.parse(readFileSync(manifestFile(runFolder), 'utf8')))
  } catch {
    return null
  }
}

export const noRun = (run: string): AppError =>
  new AppError('not-found', `There is no run ${run.slice(0, 100)} in this workspace. "engram runs list" shows those that are.`)

/** Same, where the run must be there; the sentence says which of the two is wrong. */
export function requireManifest(runFolder: string, run: string): RunManifest {
  const manifest = readManifest(runFolder)
  if (manifest) return manifest
  if (!existsSync(runFolder)) throw noRun(run)
  throw new AppError('run-state', `Run ${run} has a run.json that cannot be read; its checkpoints are still in ${runFolder}.`)
}

/** The lock that says a living process works on the run. */
export const liveRunLock = (runFolder: string): Lock | null => liveLock(lockFile(runFolder))
export function lockRun(runFolder: string, run: string): HeldLock {
  const held = takeLock(lockFile(runFolder))
  if (held) return held
  throw new AppError('run-busy', `Run ${run} is being trained by process ${liveRunLock(runFolder)?.pid ?? 'unknown'}; stop it there first.`)
}
export const adoptRunLock = (runFolder: string, token: string): HeldLock | null => adoptLock(lockFile(runFolder), token)
