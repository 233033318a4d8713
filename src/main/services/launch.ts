import { AppError } from '../contract/errors'
import type { RunCard } from '../contract/run'
import { listCheckpoints } from '../store/checkpoints'
import type { TrainerOptions } from '../worker/host'
import type { TrainResult } from '../worker/protocol'
import type { Deps } from './deps'
import { checkUnchanged, freeze } from './freeze'
import type { Lanes } from './lanes'
import type { Planning } from './planning'
import type { RestartRequest, Restarts } from './restart'
import type { Trainings } from './trainings'

/** What the starter of a training is told: its events, and whom it waits for. */
export type TrainingListener = Pick<TrainerOptions, 'onEvent' | 'onWait'>
/** `from`: the checkpoint whose weights to begin with; its run's recipe stands in for a draft. */
export interface TrainRequest extends TrainingListener { draft: Record<string, unknown> | null; bases: readonly string[]; from: Omit<RestartRequest, 'recipe'> | null }
/** `stop` asks for a graceful stop; once the training has ended it asks for nothing. */
export interface Training { run: string; folder: string; result: Promise<TrainResult>; stop(): void }

/** Trainings that begin at once, whatever waits in the queue: those of the command line. */
export function createLaunch({ store, version }: Deps, planning: Planning, trainings: Trainings, lanes: Lanes, restart: Restarts) {
  async function training(run: string, folder: string, resume: boolean, listener: TrainingListener): Promise<Training> {
    const lane = await lanes.forTraining()
    return { run, folder, result: trainings.begin(run, { ...listener, resume, lane }), stop: () => void trainings.stop(run) }
  }

  /** Checks and freezes a recipe, then trains it; `result` is the end of the training. */
  async function launch({ draft, bases, from, ...listener }: TrainRequest): Promise<Training> {
    const restarted = from && await restart.prepare({ ...from, recipe: draft }, bases)
    const frozen = await freeze(restarted?.prepared ?? await planning.prepare(draft, bases), version)
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

  return { launch, relaunch, resumable }
}
