import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors'
import { type LabelInput, type RunCard, RunId, type RunManifest } from '../contract/run'
import { onDisk, removeTemporaries } from './atomic'
import { breather } from './breathe'
import { changeLabels } from './labels'
import type { Workspace } from './paths'
import { openQueueFile } from './queueFile'
import { createRunFolder, liveRunLock, noRun, requireManifest } from './runFolder'
import { openRunIndex, type RunIndex } from './runIndex'
import type { RunSearch } from './runSearch'
import { RunTable } from './runTable'

const TURN_MS = 12
const TURN_RUNS = 500

/** All runs of a workspace. The folders are the truth; everything kept in memory or in SQLite only saves reading them again. */
export interface RunStore extends RunSearch, Pick<RunTable, 'refresh' | 'changesSince'> {
  /** `start`: a file of weights to begin with. */
  create(draft: Omit<RunManifest, 'id' | 'createdAt' | 'format'>, start?: string): { folder: string; manifest: RunManifest }
  folder(run: string): string
  manifest(run: string): RunManifest
  /** Read anew from the folder. */
  card(run: string): RunCard
  /** Every run as it is now, newest first, without sparklines. */
  cards(): RunCard[]
  /** The same, read in short turns where there is much to read. */
  latest(): Promise<RunCard[]>
  label(change: LabelInput): void
  remove(run: string): void
  close(): void
}

export function openRunStore(workspace: Workspace): RunStore {
  const queue = openQueueFile(workspace.queue)
  let index: RunIndex | undefined
  let table: RunTable | undefined
  const opened = () => {
    index ??= openRunIndex(workspace.index)
    table ??= new RunTable(workspace.runs, index, () => queue.runs())
    return { index, table }
  }
  const newestFirst = () => opened().table.changesSince(0).cards.sort((a, b) => b.createdAt - a.createdAt)
  tidyUp(workspace.runs)

  const folder = (run: string) => {
    if (!RunId.safeParse(run).success) throw noRun(run)
    return join(workspace.runs, run)
  }
  function present(run: string): string {
    const at = folder(run)
    if (existsSync(at)) return at
    table?.look(run)
    throw noRun(run)
  }

  return {
    create: (draft, start) => createRunFolder(workspace.runs, draft, start),
    folder,
    manifest: run => requireManifest(present(run), run),
    card(run) {
      const at = present(run)
      const card = opened().table.look(run)
      if (card) return card
      requireManifest(at, run)
      throw noRun(run)
    },
    cards() {
      opened().table.refresh(Infinity, Infinity)
      return newestFirst()
    },
    async latest() {
      const breathe = breather()
      while (opened().table.refresh(TURN_MS, TURN_RUNS)) await breathe()
      return newestFirst()
    },
    refresh: (budgetMs, slice) => opened().table.refresh(budgetMs, slice),
    changesSince: revision => opened().table.changesSince(revision),
    query: query => opened().index.query(query),
    fields: () => opened().index.fields(),
    values: field => opened().index.values(field),
    sparklines: runs => opened().index.sparklines(runs),
    label({ runs, ...change }) {
      for (const run of runs) changeLabels(present(run), change)
      opened().index.together(() => { for (const run of runs) opened().table.look(run) })
    },
    remove(run) {
      discard(workspace, run, present(run))
      opened().table.look(run)
    },
    close: () => index?.close(),
  }
}

/** A workspace that may only be read opens with what killed writers left in it. */
function tidyUp(runsFolder: string): void {
  try {
    removeTemporaries(runsFolder)
  } catch { /* whoever writes there next is told why it is not possible */ }
}

function discard({ trash }: Workspace, run: string, folder: string): void {
  const holder = liveRunLock(folder)
  if (holder) throw new AppError('run-busy', `Run ${run} is being trained by process ${holder.pid}; stop it first, then remove it.`)
  onDisk(`remove run ${run}`, () => renameSync(folder, join(trash, `${run}.${Date.now()}`)))
}
