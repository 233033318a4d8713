import { existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors'
import { type RunCard, RunId, type RunManifest } from '../contract/run'
import { onDisk, removeTemporaries } from './atomic'
import { checkpointSteps } from './checkpoints'
import { eventsFile, readEventsFrom } from './eventLog'
import { cardOf, foldEvents, noFacts } from './foldRun'
import type { Workspace } from './paths'
import { openQueueFile } from './queueFile'
import { createRunFolder, liveRunLock, noRun, readManifest, requireManifest } from './runFolder'
import { type Folded, openRunIndex, type RunIndex } from './runIndex'

/** All runs of a workspace. The folders are the truth; everything kept in memory or in SQLite only saves reading them again. */
export interface RunStore {
  create(draft: Omit<RunManifest, 'id' | 'createdAt' | 'format'>): { folder: string; manifest: RunManifest }
  folder(run: string): string
  manifest(run: string): RunManifest
  card(run: string): RunCard
  cards(): RunCard[]
  remove(run: string): void
  close(): void
}

const FOLD_CHUNK_BYTES = 8 << 20
/** A running run is folded on in memory; the index learns of it at its end, or after a long stretch. */
const INDEX_EVERY_BYTES = 64 << 10

export function openRunStore(workspace: Workspace): RunStore {
  let opened: RunIndex | undefined
  const index = () => opened ??= openRunIndex(workspace.index)
  const manifests = new Map<string, RunManifest>()
  const folded = new Map<string, Folded>()
  const queue = openQueueFile(workspace.queue)
  removeTemporaries(workspace.runs)

  const folder = (run: string) => {
    if (!RunId.safeParse(run).success) throw noRun(run)
    return join(workspace.runs, run)
  }
  const manifestOf = (run: string): RunManifest => {
    const known = manifests.get(run) ?? requireManifest(folder(run), run)
    manifests.set(run, known)
    return known
  }

  function cardIn(run: string, manifest: RunManifest, waiting: ReadonlySet<string>): RunCard {
    const at = folder(run)
    const before = folded.get(run) ?? index().get(run) ?? { offset: 0, facts: noFacts() }
    const now = foldOn(at, before, manifest.recipe.evaluate.best)
    if (now.facts.ended !== null ? now !== before : now.offset - before.offset > INDEX_EVERY_BYTES) index().put(run, now)
    folded.set(run, now)
    return cardOf(manifest, now.facts, { folder: at, liveSince: liveRunLock(at)?.since ?? null, lastCheckpoint: checkpointSteps(at).at(-1) ?? null, waiting: waiting.has(run) })
  }

  function forget(run: string): void {
    manifests.delete(run)
    folded.delete(run)
    index().remove(run)
  }

  return {
    create: draft => createRunFolder(workspace.runs, draft),
    folder,
    manifest(run) {
      if (!existsSync(folder(run))) forget(run)
      return manifestOf(run)
    },
    card(run) {
      if (!existsSync(folder(run))) forget(run)
      return cardIn(run, manifestOf(run), queue.runs())
    },
    cards() {
      // Read before the locks: a run leaves the queue only after its lock is taken.
      const waiting = queue.runs()
      const found = listRuns(workspace.runs)
      for (const run of manifests.keys()) if (!found.includes(run)) forget(run)
      const readable = found.filter(run => manifests.has(run) || remember(manifests, run, readManifest(folder(run))))
      return readable.map(run => cardIn(run, manifestOf(run), waiting)).sort((a, b) => b.createdAt - a.createdAt)
    },
    remove(run) {
      const at = folder(run)
      if (!existsSync(at)) throw noRun(run)
      const holder = liveRunLock(at)
      if (holder) throw new AppError('run-busy', `Run ${run} is being trained by process ${holder.pid}; stop it first, then remove it.`)
      onDisk(`remove run ${run}`, () => renameSync(at, join(workspace.trash, `${run}.${Date.now()}`)))
      forget(run)
    },
    close: () => opened?.close(),
  }
}

function remember(manifests: Map<string, RunManifest>, run: string, manifest: RunManifest | null): boolean {
  if (manifest) manifests.set(run, manifest)
  return manifest !== null
}

const listRuns = (runsFolder: string): string[] =>
  existsSync(runsFolder) ? readdirSync(runsFolder).filter(name => RunId.safeParse(name).success) : []

/** Reads only what was added since; a file that became shorter is another file and is read from its start. */
function foldOn(runFolder: string, before: Folded, bestMetric: string): Folded {
  const size = statSync(eventsFile(runFolder), { throwIfNoEntry: false })?.size ?? 0
  if (size === before.offset) return before
  const from = size < before.offset ? { offset: 0, facts: noFacts() } : before
  let { offset } = from
  const facts = structuredClone(from.facts)
  while (offset < size) {
    const read = readEventsFrom(runFolder, offset, FOLD_CHUNK_BYTES)
    if (read.offset <= offset) break
    foldEvents(facts, read.events, bestMetric)
    offset = read.offset
  }
  return offset === before.offset ? before : { offset, facts }
}
