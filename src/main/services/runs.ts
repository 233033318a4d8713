import { AppError } from '../contract/errors'
import type { RestartInput } from '../contract/checkpoint'
import type { PlanReport } from '../contract/plan'
import type { RunChange, RunEvent, RunRequest } from '../contract/run'
import { parseRecipe } from '../engine/recipe'
import { liveRunLock } from '../store/runFolder'
import { firstDifference } from './compare'
import { createComparison } from './comparison'
import type { Deps } from './deps'
import type { Lanes } from './lanes'
import { createLaunch } from './launch'
import type { Planning } from './planning'
import type { Queue } from './queue'
import { watchChanges, watchRun } from './runFeeds'
import { createRestart } from './restart'
import { createRunTable } from './runTable'
import type { Trainings } from './trainings'

/** Runs: planned, trained, watched, compared. */
export function createRuns(deps: Deps, planning: Planning, trainings: Trainings, queue: Queue, lanes: Lanes) {
  const { store, workspace } = deps
  const here = [process.cwd()]
  const restart = createRestart(deps, planning)
  const { resumable, ...launches } = createLaunch(deps, planning, trainings, lanes, restart)

  return {
    ...launches,
    /** The first field in which a recipe is not the one that a run was started with; names and places aside. */
    differsFrom: (run: string, draft: unknown): string | null => firstDifference(store.manifest(run).recipe, parseRecipe(draft).recipe),
    planFrom: planning.plan,
    plan: (draft: unknown): Promise<PlanReport> => planning.plan(draft, here),
    planRestart: (input: RestartInput): Promise<PlanReport> => restart.plan(input, here),
    /** Starts at once where its lane is free; otherwise it waits there. */
    async start(draft: Record<string, unknown>): Promise<{ run: string }> {
      const { runs: [run] } = await queue.add({ recipes: [draft] }, here)
      return { run: run! }
    },
    /** As `start`, but with the weights of a checkpoint. */
    async restart(input: RestartInput): Promise<{ run: string }> {
      const { draft, file, origin } = await restart.prepare(input, here)
      const { runs: [run] } = await queue.add({ recipes: [draft], origin }, here, file)
      return { run: run! }
    },
    async resume({ run }: { run: string }): Promise<void> {
      await queue.resume((await resumable(run)).id)
    },
    stop({ run }: { run: string }): void {
      const { status } = store.card(run)
      if (queue.waits(run)) return queue.remove({ runs: [run] })
      if (status !== 'running' && status !== 'queued') throw new AppError('run-state', `Run ${run} is ${status}; there is nothing to stop.`)
      if (trainings.stop(run)) return
      const lock = liveRunLock(store.folder(run))
      // Another program of ours trains it; its trainer takes SIGTERM as a request to save and stop.
      if (lock) process.kill(lock.pid, 'SIGTERM')
    },
    ask({ run, what }: { run: string; what: RunRequest }): void {
      const { status } = store.card(run)
      if (status !== 'running' || !trainings.ask(run, what)) throw new AppError('run-state', `Run ${run} is ${status === 'running' ? 'trained by another program' : status}; only a run that trains here can be asked to ${what} now.`)
    },
    ...createRunTable(deps),
    ...createComparison(deps),
    remove({ run }: { run: string }): void {
      queue.remove({ runs: [run] })
      store.remove(run)
    },
    watch: ({ run, after }: { run: string; after: number }, emit: (events: RunEvent[]) => void) => watchRun(store, run, after, emit),
    changes: (_: void, emit: (changes: RunChange[]) => void) => watchChanges(store, emit),
    /** Asks every training of this process to stop, and waits until all have saved. */
    stopAll: () => trainings.stopAll(),
    training: (): string[] => trainings.list(),
    workspace: workspace.root,
  }
}
export type Runs = ReturnType<typeof createRuns>
