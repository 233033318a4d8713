import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../contract/errors'

/** What the engine reads a model from (engine/io/bytes.ts, `Files`): names, and pieces of each file on request. */
export interface ModelFiles {
  name: string
  names: readonly string[]
  open(name: string): { name: string; size: number; read(offset: number, length: number): Promise<Uint8Array> }
}

/** A folder of weights, or one file with what lies beside it that explains it (config.json). */
export function modelFiles(path: string): ModelFiles {
  const entry = statSync(path, { throwIfNoEntry: false })
  if (!entry) throw new AppError('not-found', `${path} does not exist. Give a folder or file with weights.`)
  if (!entry.isDirectory() && !entry.isFile()) throw new AppError('model-unreadable', `${path} is neither a file nor a folder.`)
  const folder = entry.isDirectory() ? path : dirname(path)
  const beside = existsSync(join(folder, 'config.json')) ? ['config.json'] : []
  const names = entry.isDirectory() ? filesIn(folder) : [basename(path), ...beside]
  return { name: basename(path), names, open: name => source(folder, name) }
}

const filesIn = (folder: string) => readdirSync(folder, { withFileTypes: true }).filter(entry => !entry.isDirectory()).map(({ name }) => name).sort()

function source(folder: string, name: string) {
  const path = join(folder, basename(name))
  return {
    name,
    size: statSync(path).size,
    async read(offset: number, length: number): Promise<Uint8Array> {
      const file = await open(path)
      try {
        const bytes = new Uint8Array(length)
        let at = 0
        while (at < length) {
          const { bytesRead } = await file.read(bytes, at, Math.min(length - at, 1 << 30), offset + at)
          if (bytesRead === 0) break
          at += bytesRead
        }
        return bytes.subarray(0, at)
      } finally {
        await file.close()
      }
    },
  }
}

const WEIGHTS = /\.(safetensors|npz)$/i
const hashes = new Map<string, string>()

/** SHA-256 over the weights and the configuration of a model, so that a run knows what it was trained on. */
export async function hashModel(path: string): Promise<string> {
  const { names } = modelFiles(path)
  const folder = statSync(path).isDirectory() ? path : dirname(path)
  const parts: string[] = []
  for (const name of names.filter(one => WEIGHTS.test(one) || one === 'config.json')) parts.push(`${name} ${await hashFile(join(folder, name))}`)
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}

async function hashFile(path: string): Promise<string> {
  const { size, mtimeMs, ino } = statSync(path)
  const key = `${path} ${size} ${mtimeMs} ${ino}`
  const known = hashes.get(key)
  if (known) return known
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  const digest = hash.digest('hex')
  hashes.set(key, digest)
  return digest
}
