import { AppError } from '../contract/errors'
import type { RestartInput } from '../contract/checkpoint'
import type { PlanReport } from '../contract/plan'
import type { VerdictReport } from '../contract/evaluation'
import type { CompareReport, RunCard, RunChange, RunDetail, RunEvent, RunRequest } from '../contract/run'
import { listCheckpoints } from '../store/checkpoints'
import { parseRecipe } from '../engine/recipe'
import { liveRunLock } from '../store/runFolder'
import type { TrainerOptions } from '../worker/host'
import type { TrainResult } from '../worker/protocol'
import { compareRuns, firstDifference } from './compare'
import type { Deps } from './deps'
import { checkUnchanged, freeze } from './freeze'
import type { Lanes } from './lanes'
import type { Planning } from './planning'
import type { Queue } from './queue'
import { watchChanges, watchRun } from './runFeeds'
import { createRestart, type RestartRequest } from './restart'
import { createRunTable } from './runTable'
import type { Trainings } from './trainings'
import { type Measured, measuredRun, verdicts } from './verdicts'

/** What the starter of a training is told: its events, and whom it waits for. */
export type TrainingListener = Pick<TrainerOptions, 'onEvent' | 'onWait'>
/** `from`: the checkpoint whose weights to begin with; its run's recipe stands in for a draft. */
export interface TrainRequest extends TrainingListener { draft: Record<string, unknown> | null; bases: readonly string[]; from: Omit<RestartRequest, 'recipe'> | null }
/** `stop` asks for a graceful stop; once the training has ended it asks for nothing. */
export interface Training { run: string; folder: string; result: Promise<TrainResult>; stop(): void }

/** Runs: planned, trained, watched, compared. */
export function createRuns(deps: Deps, planning: Planning, trainings: Trainings, queue: Queue, lanes: Lanes) {
  const { store, workspace } = deps
  const here = [process.cwd()]
  const restart = createRestart(deps, planning)
  const detailOf = (run: string): RunDetail => ({ card: store.card(run), manifest: store.manifest(run) })

  async function training(run: string, folder: string, resume: boolean, listener: TrainingListener): Promise<Training> {
    const lane = await lanes.forTraining()
    return { run, folder, result: trainings.begin(run, { ...listener, resume, lane }), stop: () => void trainings.stop(run) }
  }

  /** Checks and freezes a recipe, then trains it; `result` is the end of the training. */
  async function launch({ draft, bases, from, ...listener }: TrainRequest): Promise<Training> {
    const restarted = from && await restart.prepare({ ...from, recipe: draft }, bases)
    const frozen = await freeze(restarted?.prepared ?? await planning.prepare(draft, bases), deps.version)
    const { folder, manifest } = restarted ? store.create({ ...frozen, origin: restarted.origin }, restarted.file) : store.create(frozen)
    return training(manifest.id, folder, false, listener)
  }

  async function resumable(run: string): Promise<RunCard> {
    const card = store.card(run)
    if (card.status === 'running' || card.status === 'queued') throw new AppError('run-busy', `Run ${run} is ${card.status} already.`)
    if (card.resumeStep === null) throw new AppError('run-state', `Run ${run} is ${card.status}; only a stopped, interrupted or failed run can go on.`)
    await checkUnchanged(store.manifest(run))
    return card
  }

  async function relaunch(run: string, listener: TrainingListener = {}): Promise<Training> {
    const card = await resumable(run)
    // Killed before its first checkpoint, a run begins again.
    return training(run, card.folder, listCheckpoints(card.folder).length > 0, listener)
  }

  return {
    launch, relaunch,
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
    show: ({ run }: { run: string }): RunDetail => detailOf(run),
    compare: ({ runs }: { runs: string[] }): CompareReport => compareRuns(runs.map(detailOf)),
    /** Whether differences in accuracy are more than noise, by the predictions that are kept. */
    async verdict({ runs, baseline }: { runs: string[]; baseline: string | null }): Promise<VerdictReport> {
      const all = [...new Set(baseline === null ? runs : [baseline, ...runs])]
      const measured: Measured[] = []
      for (const run of all) measured.push(await measuredRun(detailOf(run)))
      return verdicts(measured, all[0]!)
    },
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
