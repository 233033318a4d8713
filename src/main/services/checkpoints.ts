import { AppError } from '../contract/errors'
import { checkpointCards, removeCheckpoint } from '../store/checkpoints'
import { liveRunLock } from '../store/runFolder'
import type { Deps } from './deps'

/** The checkpoints of runs. */
export function createCheckpoints({ store }: Deps) {
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
  }
}
