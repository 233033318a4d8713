import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { onDisk, processExists } from './atomic'

/** A lock is a file that names the process holding it; it counts only while that very process lives. */
const Lock = z.object({ token: z.string(), pid: z.int(), identity: z.string().nullable(), since: z.number(), about: z.string().default('') })
export type Lock = z.infer<typeof Lock>

/** How long a heartbeat counts where the system does not tell when a process started. */
const HEARTBEAT_LIFE_MS = 120_000

/** Tells a process from a later one with the same number: the boot it belongs to and its start, in clock ticks. Linux only. */
export function processIdentity(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const state = fields[0]
    if (state === 'Z' || state === 'X') return null
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`
  } catch {
    return null
  }
}

function readLock(path: string): Lock | null {
  try {
    return Lock.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}

function lives(lock: Lock, path: string): boolean {
  if (lock.identity !== null) return processIdentity(lock.pid) === lock.identity
  if (!processExists(lock.pid)) return false
  try {
    return Date.now() - statSync(path).mtimeMs < HEARTBEAT_LIFE_MS
  } catch {
    return false
  }
}

/** The lock of a living process, or null. */
export function liveLock(path: string): Lock | null {
  const lock = readLock(path)
  return lock && lives(lock, path) ? lock : null
}

/** `held` is false once another process took the lock over from a dead holder. */
export interface HeldLock { readonly token: string; held(): boolean; beat(): void; release(): void }

const content = (token: string, about: string): string =>
  JSON.stringify({ token, pid: process.pid, identity: processIdentity(process.pid), since: Date.now(), about } satisfies Lock)

/** Takes the lock, or returns null when a living process holds it; `about` is for whoever meets it. */
export function takeLock(path: string, about = ''): HeldLock | null {
  const token = randomBytes(12).toString('hex')
  const mine = `${path}.${token}`
  return onDisk(`lock ${path}`, () => {
    writeFileSync(mine, content(token, about), { flag: 'wx' })
    try {
      return placeLock(mine, path) ? holder(path, token) : null
    } finally {
      rmSync(mine, { force: true })
    }
  })
}

/** `link` fails where the name exists, so only one process can win; a dead holder's file is moved away first. */
function placeLock(mine: string, path: string): boolean {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      linkSync(mine, path)
      return true
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
    }
    if (liveLock(path)) return false
    moveStaleAway(mine, path)
  }
  return false
}

function moveStaleAway(mine: string, path: string): void {
  const aside = `${mine}.stale`
  try {
    renameSync(path, aside)
    if (liveLock(aside)) linkSync(aside, path) // another process took it between our look and our move: give it back
  } catch (thrown) {
    if (!['ENOENT', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown
  }
  rmSync(aside, { force: true })
}

/** A child takes over the lock its parent took for it. Null when the lock is no longer the parent's. */
export function adoptLock(path: string, token: string): HeldLock | null {
  const before = readLock(path)
  if (before?.token !== token) return null
  const mine = `${path}.${token}`
  onDisk(`lock ${path}`, () => {
    writeFileSync(mine, content(token, before.about))
    renameSync(mine, path)
  })
  return holder(path, token)
}

/** Removes a lock by its token, whoever holds it: for the parent of a child that died. */
export function releaseLock(path: string, token: string): void {
  if (readLock(path)?.token === token) rmSync(path, { force: true })
}

const holder = (path: string, token: string): HeldLock => ({
  token,
  held: () => readLock(path)?.token === token,
  beat: () => {
    const now = new Date()
    try {
      utimesSync(path, now, now)
    } catch { /* the run folder was removed: the next write says so */ }
  },
  release: () => releaseLock(path, token),
})
