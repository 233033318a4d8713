import { AppError } from '../contract/errors'
import type { Workspace } from './paths'
import { type HeldLock, liveLock, takeLock } from './processLock'

/** One window per workspace; the command line may work beside it. */
export function lockWindow({ windowLock, root }: Workspace): HeldLock {
  const held = takeLock(windowLock)
  if (held) return held
  const holder = liveLock(windowLock)
  throw new AppError('workspace-busy', `Engram is already open on ${root}${holder ? ` (process ${holder.pid})` : ''}. Use that window, or start with --workspace and another folder.`)
}
