import { AppError } from '../contract/errors'
import type { JobProgress } from '../contract/progress'
import type { TrainerOptions } from '../worker/host'

const STARTING: JobProgress = { state: 'running', message: 'Starting the trainer', done: null, total: null }
const ENDED: JobProgress = { state: 'ended', message: '', done: null, total: null }
/** A cancelled job has nothing to save. */
const GRACE_MS = 5000

/** Jobs beside trainings, by what they are about: how far each is, for whoever looks, and the way to stop it. */
export function createJobs() {
  const watchers = new Map<(events: JobProgress[]) => void, string>()
  const underWay = new Map<string, { stop: AbortController; last: JobProgress }>()

  function tell(about: string, event: JobProgress): void {
    const job = underWay.get(about)
    if (job) job.last = event
    for (const [emit, wanted] of watchers) if (wanted === about) emit([event])
  }

  return {
    tell,
    isUnderWay: (about: string): boolean => underWay.has(about),
    /** Does the work with options for its trainer, so that it tells its progress here and can be cancelled. */
    async follow<T>(about: string, work: (options: TrainerOptions) => Promise<T>, options: TrainerOptions = {}): Promise<T> {
      const stop = new AbortController()
      underWay.set(about, { stop, last: STARTING })
      tell(about, STARTING)
      const onProgress: TrainerOptions['onProgress'] = event => {
        tell(about, { state: 'running', message: event.message, done: event.done, total: event.total })
        options.onProgress?.(event)
      }
      const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
      try {
        return await work({ ...options, signal, onProgress, graceMs: GRACE_MS })
      } catch (thrown) {
        // One that did not end within its grace was killed: that is no failure either.
        throw stop.signal.aborted ? new AppError('cancelled', 'Cancelled; nothing of it was kept.', { cause: thrown }) : thrown
      } finally {
        underWay.delete(about)
        tell(about, ENDED)
      }
    },
    cancel: (about: string): void => underWay.get(about)?.stop.abort(),
    progress(about: string, emit: (events: JobProgress[]) => void): () => void {
      watchers.set(emit, about)
      const now = underWay.get(about)
      if (now) emit([now.last])
      return () => void watchers.delete(emit)
    },
  }
}
