import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { diskFiles } from './files'

const PARTS = /\.(safetensors|npz)$|^config\.json$/i
const known = new Map<string, string>()

/** SHA-256 over the weights and the configuration of a model, so that a run knows what it was trained on. */
export async function hashModel(path: string): Promise<string> {
  const { names } = await diskFiles(path)
  const folder = statSync(path).isDirectory() ? path : dirname(path)
  const parts: string[] = []
  for (const name of names.filter(one => PARTS.test(one)).sort()) parts.push(`${name} ${await hashFile(join(folder, name))}`)
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}

export async function hashFile(path: string): Promise<string> {
  const { size, mtimeMs, ino } = statSync(path)
  const key = `${path} ${size} ${mtimeMs} ${ino}`
  const before = known.get(key)
  if (before) return before
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  const digest = hash.digest('hex')
  known.set(key, digest)
  return digest
}
