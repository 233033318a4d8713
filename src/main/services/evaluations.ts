import { isAbsolute } from 'node:path'
import type { z } from 'zod'
import type { EvaluateInput, EvaluateReport, Prediction, TryInput } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import type { Evaluation, EvaluationCard } from '../contract/evaluation'
import type { JobProgress } from '../contract/progress'
import { findCheckpoint } from '../store/checkpoints'
import { listEvaluations, readEvaluation } from '../store/evaluations'
import { laneHolder } from '../store/laneLock'
import type { TrainerOptions } from '../worker/host'
import type { Deps } from './deps'
import { createJobs } from './jobs'
import type { Lanes } from './lanes'
import { find } from './library'

/** What checkpoints said of each image, kept with their runs. */
export function createEvaluations(deps: Deps, lanes: Lanes) {
  const { store, workspace, host } = deps
  const jobs = createJobs()
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
      if (jobs.isUnderWay(run)) throw new AppError('run-busy', `Run ${run} is being evaluated already; wait for that, or cancel it.`)
      const path = data === null ? null : find(deps, 'data', data, [process.cwd()]).path
      return jobs.follow(run, async followed => {
        const lane = await lanes.forEvaluation()
        const holder = lane && laneHolder(lane.lock)
        if (holder) jobs.tell(run, { state: 'waiting', message: `Waiting for the GPU, which ${holder.run} has`, done: null, total: null })
        return host.start({ kind: 'evaluate', input: { runFolder, workspace: workspace.root, checkpoint, data: path } }, { ...followed, ...(lane ? { lane } : {}) })
      }, options)
    },
    /** Nothing of it is kept; what was measured before stays. */
    cancel: ({ run }: { run: string }): void => jobs.cancel(run),
    progress: ({ run }: { run: string }, emit: (events: JobProgress[]) => void): (() => void) => jobs.progress(run, emit),
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
