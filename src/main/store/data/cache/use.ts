import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { processExists } from '../../atomic'
import { processIdentity } from '../../processLock'

const PREFIX = 'use-'

/** Notes that this process uses a cache entry, until the returned function is called or the process ends. */
export async function useEntry(folder: string): Promise<() => Promise<void>> {
  const note = join(folder, `${PREFIX}${process.pid}-${randomBytes(4).toString('hex')}`)
  await writeFile(note, processIdentity(process.pid) ?? '', { flag: 'wx' })
  return () => rm(note, { force: true })
}

/** Whether a living process uses a cache entry; notes of dead ones are swept away. */
export function inUse(folder: string): boolean {
  let used = false
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(PREFIX)) continue
    if (lives(join(folder, name), Number(name.slice(PREFIX.length).split('-')[0]))) used = true
    else rmSync(join(folder, name), { force: true })
  }
  return used
}

function lives(note: string, pid: number): boolean {
  try {
    const identity = readFileSync(note, 'utf8')
    return identity === '' ? processExists(pid) : processIdentity(pid) === identity
  } catch {
    return false
  }
}
