import { isAbsolute } from 'node:path'
import type { z } from 'zod'
import type { EvaluateInput, EvaluateReport, Prediction, TryInput } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import type { Evaluation, EvaluationCard, EvaluationProgress } from '../contract/evaluation'
import { findCheckpoint } from '../store/checkpoints'
import { listEvaluations, readEvaluation } from '../store/evaluations'
import type { TrainerOptions } from '../worker/host'
import type { Deps } from './deps'
import { find } from './library'

/** What checkpoints said of each image, kept with their runs. */
export function createEvaluations(deps: Deps) {
  const { store, workspace, host } = deps
  const watchers = new Map<(events: EvaluationProgress[]) => void, string>()
  const tell = (run: string, event: EvaluationProgress) => { for (const [emit, wanted] of watchers) if (wanted === run) emit([event]) }
  const folderOf = (run: string) => {
    store.manifest(run)
    return store.folder(run)
  }
  return {
    list: ({ run }: { run: string }): EvaluationCard[] => listEvaluations(folderOf(run)),
    get: ({ run, id }: { run: string; id: string }): Evaluation => readEvaluation(folderOf(run), id),
    async run({ run, checkpoint, data }: z.output<typeof EvaluateInput>, options: TrainerOptions = {}): Promise<EvaluateReport> {
      const runFolder = folderOf(run)
      findCheckpoint(runFolder, checkpoint)
      const path = data === null ? null : find(deps, 'data', data, [process.cwd()]).path
      const onProgress: TrainerOptions['onProgress'] = event => {
        tell(run, { message: event.message, done: event.done, total: event.total })
        options.onProgress?.(event)
      }
      return host.start({ kind: 'evaluate', input: { runFolder, workspace: workspace.root, checkpoint, data: path } }, { ...options, onProgress })
    },
    progress({ run }: { run: string }, emit: (events: EvaluationProgress[]) => void): () => void {
      watchers.set(emit, run)
      return () => void watchers.delete(emit)
    },
    /** Any readable image may be tried; of what is read only the likeliest classes come back. */
    async predict({ run, checkpoint, files }: z.output<typeof TryInput>): Promise<Prediction[]> {
      const runFolder = folderOf(run)
      findCheckpoint(runFolder, checkpoint)
      const relative = files.find(file => !isAbsolute(file))
      if (relative !== undefined) throw new AppError('bad-input', `${relative} is not a whole path; drop the file itself, or choose it.`, { field: 'files' })
      const input = { runFolder, checkpoint, model: null, workspace: workspace.root, files, withBase: true, skipBroken: true }
      return host.start({ kind: 'predict', input })
    },
  }
}
