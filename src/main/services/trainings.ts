import { AppError } from '../contract/errors'
import type { RunRequest } from '../contract/run'
import type { TrainResult } from '../worker/protocol'
import type { Deps } from './deps'
import type { TrainerOptions } from '../worker/host'
import type { Place } from './lanes'

export interface BeginOptions extends Pick<TrainerOptions, 'onEvent' | 'onWait'> { resume: boolean; lane: Place }
/** The trainings that this process runs. */
export interface Trainings {
  /** The run's lock is taken before this returns. */
  begin(run: string, options: BeginOptions): Promise<TrainResult>
  /** Asks for a graceful stop; false where this process does not train the run. */
  stop(run: string): boolean
  /** Asks something of the trainer; false where this process has none at work on the run. */
  ask(run: string, what: RunRequest): boolean
  stopAll(): Promise<void>
  list(): string[]
}

export function createTrainings({ host, store, workspace }: Deps): Trainings {
  const active = new Map<string, { stop: AbortController; ended: Promise<unknown>; ask?: (what: RunRequest) => void }>()

  function begin(run: string, { resume, ...options }: BeginOptions): Promise<TrainResult> {
    if (active.has(run)) throw new AppError('run-busy', `Run ${run} is being trained already.`)
    const stop = new AbortController()
    const input = { runFolder: store.folder(run), workspace: workspace.root, resume }
    const onBegun = (ask: (what: RunRequest) => void) => { Object.assign(active.get(run) ?? {}, { ask }) }
    const result = host.start({ kind: 'train', input }, { ...options, signal: stop.signal, onBegun })
    const ended = result.then(() => {}, () => {}).finally(() => active.delete(run))
    active.set(run, { stop, ended })
    return result
  }

  return {
    begin,
    stop(run) {
      const training = active.get(run)
      training?.stop.abort()
      return training !== undefined
    },
    ask(run, what) {
      const training = active.get(run)
      training?.ask?.(what)
      return training?.ask !== undefined
    },
    async stopAll() {
      const all = [...active.values()]
      for (const { stop } of all) stop.abort()
      await Promise.all(all.map(({ ended }) => ended))
    },
    list: () => [...active.keys()],
  }
}
