import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const root = resolve(fileURLToPath(import.meta.url), '../..')

/** Large things that outlive a checkout and are shared between checkouts: TensorFlow, Electron. */
export function cacheDir() {
  if (process.env.ENGRAM_CACHE) return resolve(process.env.ENGRAM_CACHE)
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'engram')
}

/** A short name for a text, fit for a file name. */
export function shortHash(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, 12)
}
