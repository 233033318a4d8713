import { statSync } from 'node:fs'
import { checkpointsFolder } from './checkpoints'
import { eventsFile } from './eventLog'

/** Clocks of file systems are coarse: what changed this shortly ago may change again under the same time. */
const UNSURE_MS = 2000

const stat = (path: string) => statSync(path, { throwIfNoEntry: false })

/** The time a folder last changed, or null where that is too fresh to be trusted. */
export function settledTime(folder: string): number | null {
  const time = stat(folder)?.mtimeMs ?? 0
  return Math.abs(Date.now() - time) < UNSURE_MS ? null : time
}

/**
 * Says in a few calls to the disk whether a run is as it was: its folder changes with lock, labels and files that are replaced, its events
 * only grow; where its checkpoints matter, because it can go on from the last, they come and go. Null while that cannot be told.
 */
export function signatureOf(runFolder: string, resumable: boolean): string | null {
  const [folder, checkpoints] = [settledTime(runFolder), resumable ? settledTime(checkpointsFolder(runFolder)) : 0]
  return folder === null || checkpoints === null ? null : `${folder} ${stat(eventsFile(runFolder))?.size ?? 0} ${checkpoints}`
}
