import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { say } from './log.mjs'
import { cacheDir } from './paths.mjs'

const BEAT = 5_000
// A holder that has not touched its lock for this long is gone (killed, or its machine switched off).
const STALE = 60_000

/** Runs `task` while no other process on this cache holds the lock `name`; says so once when it has to wait. */
export async function withLock(name, task) {
  const file = join(cacheDir(), 'locks', `${name}.lock`)
  mkdirSync(join(cacheDir(), 'locks'), { recursive: true })
  const token = `${hostname()} ${process.pid} ${Date.now()}`
  for (let waited = false; !acquire(file, token); waited = true) {
    if (!waited) say(`another Engram command is busy with this (${name.split('-')[0]}), waiting for it`)
    await sleep(200)
  }
  const beat = setInterval(() => touch(file), BEAT)
  const release = () => holds(file, token) && rmSync(file, { force: true })
  process.once('exit', release)
  try {
    return await task()
  } finally {
    clearInterval(beat)
    process.off('exit', release)
    release()
  }
}

function acquire(file, token) {
  try {
    writeFileSync(file, token, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return removeIfStale(file) && acquire(file, token)
  }
}

function removeIfStale(file) {
  const seen = read(file)
  if (seen === undefined || !isStale(file, seen)) return false
  // Renaming is atomic, so of several waiters one takes the dead lock; if a new holder came in between, give it back.
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    if (read(aside) !== seen) linkSync(aside, file)
  } catch {
    // Another waiter was faster.
  }
  rmSync(aside, { force: true })
  return true
}

function isStale(file, token) {
  const [host, pid] = token.split(' ')
  if (host === hostname() && Number(pid) > 0 && !isAlive(Number(pid))) return true
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > STALE
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

const holds = (file, token) => read(file) === token

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date())
  } catch {
    // Removed by hand: nothing to keep alive.
  }
}
