import { isAbsolute } from 'node:path'
import type { z } from 'zod'
import type { EvaluateInput, EvaluateReport, Prediction, TryInput } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import type { Evaluation, EvaluationCard, EvaluationProgress } from '../contract/evaluation'
import { findCheckpoint } from '../store/checkpoints'
import { listEvaluations, readEvaluation } from '../store/evaluations'
import { laneHolder } from '../store/laneLock'
import type { TrainerOptions } from '../worker/host'
import type { Deps } from './deps'
import type { Lanes } from './lanes'
import { find } from './library'

const STARTING: EvaluationProgress = { state: 'running', message: 'Starting the trainer', done: null, total: null }
/** A cancelled evaluation has nothing to save. */
const GRACE_MS = 5000

/** What checkpoints said of each image, kept with their runs. */
export function createEvaluations(deps: Deps, lanes: Lanes) {
  const { store, workspace, host } = deps
  const watchers = new Map<(events: EvaluationProgress[]) => void, string>()
  const underWay = new Map<string, { stop: AbortController; last: EvaluationProgress }>()

  function tell(run: string, event: EvaluationProgress): void {
    const evaluation = underWay.get(run)
    if (evaluation) evaluation.last = event
    for (const [emit, wanted] of watchers) if (wanted === run) emit([event])
  }
  const folderOf = (run: string) => {
    store.manifest(run)
    return store.folder(run)
  }
  return {
    list: ({ run }: { run: string }): EvaluationCard[] => listEvaluations(folderOf(run)),
    get: ({ run, id }: { run: string; id: string }): Promise<Evaluation> => readEvaluation(folderOf(run), id),
    async run({ run, checkpoint, data }: z.output<typeof EvaluateInput>, options: TrainerOptions = {}): Promise<EvaluateReport> {
      const runFolder = folderOf(run)
      findCheckpoint(runFolder, checkpoint)
      if (underWay.has(run)) throw new AppError('run-busy', `Run ${run} is being evaluated already; wait for that, or cancel it.`)
      const path = data === null ? null : find(deps, 'data', data, [process.cwd()]).path
      const stop = new AbortController()
      underWay.set(run, { stop, last: STARTING })
      tell(run, STARTING)
      try {
        const lane = await lanes.forEvaluation()
        const holder = lane && laneHolder(lane.lock)
        if (holder) tell(run, { state: 'waiting', message: `Waiting for the GPU, which ${holder.run} has`, done: null, total: null })
        const onProgress: TrainerOptions['onProgress'] = event => {
          tell(run, { state: 'running', message: event.message, done: event.done, total: event.total })
          options.onProgress?.(event)
        }
        const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
        return await host.start({ kind: 'evaluate', input: { runFolder, workspace: workspace.root, checkpoint, data: path } }, { ...options, ...(lane ? { lane } : {}), signal, onProgress, graceMs: GRACE_MS })
      } finally {
        underWay.delete(run)
        tell(run, { state: 'ended', message: '', done: null, total: null })
      }
    },
    /** Nothing of it is kept; what was measured before stays. */
    cancel: ({ run }: { run: string }): void => underWay.get(run)?.stop.abort(),
    progress({ run }: { run: string }, emit: (events: EvaluationProgress[]) => void): () => void {
      watchers.set(emit, run)
      const now = underWay.get(run)
      if (now) emit([now.last])
      return () => void watchers.delete(emit)
    },
    /** Any readable image may be tried; of what is read only the likeliest classes come back. */
    async predict({ run, checkpoint, files }: z.output<typeof TryInput>): Promise<Prediction[]> {
      const runFolder = folderOf(run)
      findCheckpoint(runFolder, checkpoint)
      const relative = files.find(file => !isAbsolute(file))
      if (relative !== undefined) throw new AppError('bad-input', `${relative} is not a whole path; drop the file itself, or choose it.`, { field: 'files' })
      const input = { runFolder, checkpoint, model: null, workspace: workspace.root, files, withBase: true, skipBroken: true }
      return host.start({ kind: 'predict', input }, { environment: await lanes.forSmall() })
    },
  }
}
