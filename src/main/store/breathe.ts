import { setImmediate } from 'node:timers/promises'

/** A frame of the window is sixteen milliseconds. */
const WORK_MS = 12

/** For long work on main's thread: awaited in its loop, it lets the window in as soon as that had to wait for a moment. */
export function breather(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => performance.now() - since < WORK_MS ? undefined : setImmediate().then(() => { since = performance.now() })
}
