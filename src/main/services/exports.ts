import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { z } from 'zod'
import { type ExportInput, ExportReport } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import { onDisk, removeTemporaries, writeJsonAtomic } from '../store/atomic'
import { findCheckpoint } from '../store/checkpoints'
import { entryAt } from '../store/files'
import { candidatePaths, isInside } from '../store/paths'
import { exportsFolder } from '../store/runFolder'
import type { TrainerOptions } from '../worker/host'
import type { Deps } from './deps'
import type { Lanes } from './lanes'

/** Exported weights. The files lie where the person wants them; the run keeps the report of each. */
export function createExports({ store, workspace, host }: Deps, lanes: Lanes) {
  return {
    async create({ run, checkpoint, as, out }: z.output<typeof ExportInput>, options: TrainerOptions = {}): Promise<ExportReport> {
      store.manifest(run)
      const runFolder = store.folder(run)
      findCheckpoint(runFolder, checkpoint)
      const folder = freeFolder(out)
      const own = [workspace.runs, workspace.cache, workspace.trash, workspace.sweeps].some(place => isInside(place, folder))
      if (own && !isInside(exportsFolder(runFolder), folder)) throw new AppError('bad-input', `${folder} is where the workspace keeps its own; give a folder elsewhere, or in the run's exports.`, { field: 'out' })
      removeTemporaries(dirname(folder), false, basename(folder))
      const report = await host.start({ kind: 'export', input: { runFolder, workspace: workspace.root, checkpoint, as, out: folder } }, { environment: await lanes.forSmall(), ...options })
      keepReport(runFolder, report)
      return report
    },
    list({ run }: { run: string }): ExportReport[] {
      store.manifest(run)
      return readReports(store.folder(run))
    },
  }
}

/** The lowest part of a path that exists. */
const lowestThere = (path: string): string => existsSync(path) ? path : lowestThere(dirname(path))

/** Exports never overwrite: the folder must be new or empty. */
function freeFolder(out: string): string {
  const folder = resolve(candidatePaths(out, [process.cwd()])[0]!)
  const entry = entryAt(folder), above = lowestThere(dirname(folder))
  if (!entryAt(above)!.isDirectory()) throw new AppError('bad-input', `${above} is a file, so no folder can be made in it; give another folder.`, { field: 'out' })
  if (entry && !entry.isDirectory()) throw new AppError('bad-input', `${folder} is a file; give a folder that is new or empty.`, { field: 'out' })
  if (entry && readdirSync(folder).length > 0) throw new AppError('bad-input', `${folder} is not empty; give a folder that is new or empty.`, { field: 'out' })
  return folder
}

function keepReport(runFolder: string, report: ExportReport): void {
  const folder = exportsFolder(runFolder)
  onDisk(`write ${folder}`, () => mkdirSync(folder, { recursive: true }))
  writeJsonAtomic(join(folder, `${Date.now()}-${report.as}-${report.step}.json`), report)
}

/** A damaged report is left out. */
function readReports(runFolder: string): ExportReport[] {
  const folder = exportsFolder(runFolder)
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(name => name.endsWith('.json')).sort().flatMap(name => {
    try {
      return [ExportReport.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))]
    } catch {
      return []
    }
  })
}
