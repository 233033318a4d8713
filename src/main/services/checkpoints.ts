import type { z } from 'zod'
import type { EvaluateInput } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import { checkpointCards, findCheckpoint, removeCheckpoint } from '../store/checkpoints'
import { liveRunLock } from '../store/runFolder'
import type { TrainerOptions } from '../worker/host'
import type { Deps } from './deps'
import { find } from './library'

/** The checkpoints of runs, and what a checkpoint is good for. */
export function createCheckpoints(deps: Deps) {
  const { store, workspace, host } = deps
  const folderOf = (run: string) => {
    store.manifest(run)
    return store.folder(run)
  }
  return {
    list: ({ run }: { run: string }) => checkpointCards(folderOf(run)),
    remove({ run, step }: { run: string; step: number }): void {
      const folder = folderOf(run)
      if (liveRunLock(folder)) throw new AppError('run-busy', `Run ${run} is being trained; stop it before removing its checkpoints.`)
      removeCheckpoint(folder, step)
    },
    async evaluate({ run, checkpoint, data }: z.output<typeof EvaluateInput>, options: TrainerOptions = {}) {
      const runFolder = folderOf(run)
      findCheckpoint(runFolder, checkpoint)
      const path = data === null ? null : find(deps, 'data', data, [process.cwd()]).path
      return host.start({ kind: 'evaluate', input: { runFolder, workspace: workspace.root, checkpoint, data: path } }, options)
    },
  }
}
