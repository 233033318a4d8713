import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '../contract/errors'
import { onDisk } from './atomic'
import type { Workspace } from './paths'
import { type HeldLock, liveLock, takeLock } from './processLock'

/** Who has a device: a run, and the process that works on it. */
export interface LaneHolder { run: string; pid: number }

const LOOK_MS = 300

/** A device is used by one program at a time: window and command line take turns by a lock in the workspace. */
export const laneLockFile = ({ lanes }: Workspace, device: string): string => join(lanes, `${device}.lock`)
/** Held by whoever is next, so that a program with a long queue does not keep the others out for ever. */
const nextFile = (path: string) => `${path}.next`

export function laneHolder(path: string): LaneHolder | null {
  const lock = liveLock(path) ?? liveLock(nextFile(path))
  return lock && { run: lock.about, pid: lock.pid }
}

/** Waits for the device; `onWait` is told once who has it. */
export async function enterLane(path: string, run: string, { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: ((holder: LaneHolder) => void) | undefined }): Promise<HeldLock> {
  onDisk(`make ${dirname(path)}`, () => mkdirSync(dirname(path), { recursive: true }))
  const holder = laneHolder(path)
  if (holder) onWait?.(holder)
  const next = await taken(nextFile(path), run, signal)
  try {
    return await taken(path, run, signal)
  } finally {
    next.release()
  }
}

async function taken(path: string, run: string, signal: AbortSignal | undefined): Promise<HeldLock> {
  for (;;) {
    if (signal?.aborted) throw new AppError('cancelled', 'Stopped before it began.')
    const held = takeLock(path, run)
    if (held) return held
    await pause(LOOK_MS, signal)
  }
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> => new Promise(resolve => {
  const done = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', done)
    resolve()
  }
  const timer = setTimeout(done, ms)
  signal?.addEventListener('abort', done, { once: true })
})
