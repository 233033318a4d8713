import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { mapLimited } from './pool'

/** Raised when listing or labelling changes its meaning, so that nothing older is taken for the same. */
const VERSION = 'v1'

/** A short content address of some lines. */
export function addressOf(lines: Iterable<string>): string {
  const hash = createHash('sha256').update(VERSION)
  for (const line of lines) hash.update('\n').update(line)
  return hash.digest('hex').slice(0, 32)
}

/** Size and times of one file; the change time also catches a rewrite that restores the old modification time. */
export async function stampOf(path: string): Promise<string> {
  const s = await stat(path, { bigint: true })
  if (!s.isFile()) throw Object.assign(new Error('not a file'), { code: s.isDirectory() ? 'EISDIR' : 'EINVAL' })
  return `${s.size} ${s.mtimeNs} ${s.ctimeNs}`
}

/** The content address of files: names, sizes and times. `failed` throws the error for a file that cannot be looked at, or says what stands for it. */
export async function fingerprintFiles(files: readonly { name: string; path: string }[], failed: (i: number, thrown: unknown) => string): Promise<string> {
  const stamps = await mapLimited(files, 64, async (file, i) => {
    try {
      return `${file.name} ${await stampOf(file.path)}`
    } catch (thrown) {
      return `${file.name} ${failed(i, thrown)}`
    }
  })
  return addressOf(stamps)
}
