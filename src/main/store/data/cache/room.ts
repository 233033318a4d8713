import { readdir, readFile, stat, statfs } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../../contract/errors'
import type { CacheReport } from '../../../contract/dataset'
import { removeAtomic, removeTemporaries } from '../../atomic'
import { MANIFEST } from './entry'
import { inUse } from './use'

type Entry = CacheReport['entries'][number]

/** What lies in the cache, the entry used last first. */
export async function cacheReport(cacheDir: string, limitBytes: number): Promise<CacheReport> {
  const names = await readdir(cacheDir).catch(() => [])
  const entries = (await Promise.all(names.map(key => reportEntry(cacheDir, key)))).filter(entry => entry !== null)
  entries.sort((a, b) => b.usedAt - a.usedAt)
  return { bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0), limitBytes, entries }
}

async function reportEntry(cacheDir: string, key: string): Promise<Entry | null> {
  const folder = join(cacheDir, key)
  try {
    const manifest = await stat(join(folder, MANIFEST))
    const { name } = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as { name?: unknown }
    const sizes = await Promise.all((await readdir(folder)).map(file => stat(join(folder, file)).then(s => s.size, () => 0)))
    return { key, name: typeof name === 'string' ? name : key, bytes: sizes.reduce((a, b) => a + b, 0), usedAt: manifest.mtimeMs }
  } catch {
    return null
  }
}

/** Removes all entries or one; what a run is using stays. Returns the bytes that became free. */
export async function clearCache(cacheDir: string, key?: string): Promise<number> {
  if (!existsSync(cacheDir)) return 0
  removeTemporaries(cacheDir)
  const { entries } = await cacheReport(cacheDir, 0)
  return entries.filter(entry => key === undefined || entry.key === key).reduce((freed, entry) => freed + remove(cacheDir, entry), 0)
}

function remove(cacheDir: string, { key, bytes }: Entry): number {
  try {
    if (inUse(join(cacheDir, key))) return 0
    removeAtomic(join(cacheDir, key))
    return bytes
  } catch (thrown) {
    // Another process was quicker.
    if (!existsSync(join(cacheDir, key))) return 0
    throw thrown
  }
}

/** Removes entries not used for longest until `neededBytes` fit below the limit and on the disk; says when they do not, refuses when the disk is too small. */
export async function makeRoom(cacheDir: string, limitBytes: number, neededBytes: number, what: string): Promise<string[]> {
  removeTemporaries(cacheDir)
  const report = await cacheReport(cacheDir, limitBytes)
  const free = await freeBytes(cacheDir)
  let freed = 0
  for (const entry of report.entries.reverse()) {
    if (report.bytes - freed + neededBytes <= limitBytes && free + freed >= neededBytes) break
    freed += remove(cacheDir, entry)
  }
  if (free + freed < neededBytes) {
    throw new AppError('disk-full', `Preparing ${what} needs ${size(neededBytes)} in ${cacheDir}, where only ${size(free + freed, Math.floor)} are free: free some space or use fewer or smaller images.`)
  }
  const after = report.bytes - freed + neededBytes
  return after > limitBytes ? [`The prepared images of ${what} bring the cache to ${size(after)}, above its limit of ${size(limitBytes)}.`] : []
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

const size = (bytes: number, round = Math.ceil) => (bytes >= 1e9 ? `${(round(bytes / 1e8) / 10).toFixed(1)} GB` : `${round(bytes / 1e6)} MB`)
