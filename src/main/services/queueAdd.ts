import { AppError } from '../contract/errors'
import { breather } from '../store/breathe'
import type { QueueFile } from '../store/queueFile'
import type { RunStore } from '../store/runStore'
import type { Deps } from './deps'
import { freeze, type Frozen } from './freeze'
import type { Planning } from './planning'

/** Checks and freezes every recipe; where one is wrong, says which. */
export async function freezeAll({ version }: Deps, planning: Planning, recipes: readonly unknown[], bases: readonly string[]): Promise<Frozen[]> {
  const frozen: Frozen[] = []
  for (const [index, draft] of recipes.entries()) {
    try {
      frozen.push(await freeze(await planning.prepare(draft, bases), version))
    } catch (thrown) {
      if (recipes.length === 1 || !(thrown instanceof AppError)) throw thrown
      throw new AppError(thrown.code, `Run ${index + 1} of ${recipes.length}: ${thrown.message} None was queued.`, thrown.field ? { field: thrown.field } : {})
    }
  }
  return frozen
}

/** Makes runs that wait in a lane; `start`: a file of weights that they begin with. */
export async function enqueue(store: Pick<RunStore, 'create'>, file: QueueFile, drafts: readonly Frozen[], lane: string, start?: string): Promise<string[]> {
  const breathe = breather()
  const runs: string[] = []
  for (const draft of drafts) {
    const run = store.create(draft, start).manifest.id
    // Each at once: a run that was made and does not wait would look interrupted after a kill.
    file.change(({ waiting }) => ({ waiting: [...waiting, { run, lane }] }))
    runs.push(run)
    await breathe()
  }
  return runs
}
