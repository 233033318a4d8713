import { existsSync, type Stats, statSync } from 'node:fs'
import { mkdir, open, readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AppError } from '../contract/errors'
import type { ByteSource, Files, OutFile } from '../engine/io/bytes'
import { reasonOf } from './data/failures'

/** A file on disk. It is opened for each read: a checkpoint is read once, in large pieces. */
export function fileSource(path: string): ByteSource {
  return {
    name: basename(path), size: sizeOf(path),
    async read(offset, length) {
      const handle = await open(path, 'r').catch((thrown: unknown) => { throw cannotRead(path, thrown) })
      try {
        const bytes = new Uint8Array(length)
        let done = 0
        while (done < length) {
          const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done)
          if (bytesRead === 0) break
          done += bytesRead
        }
        return bytes.subarray(0, done)
      } finally {
        await handle.close()
      }
    },
  }
}

const cannotRead = (path: string, thrown: unknown) =>
  new AppError('model-unreadable', `${path} cannot be read: ${reasonOf(thrown)}.`, { cause: thrown })

function sizeOf(path: string): number {
  let entry: Stats
  try {
    entry = statSync(path)
  } catch (thrown) {
    throw cannotRead(path, thrown)
  }
  if (!entry.isDirectory()) return entry.size
  throw new AppError('model-unreadable', `${path} is a folder, where a file is needed.`)
}

/** Links are followed; what cannot be reached is not there. */
export const entryAt = (path: string): Stats | undefined => existsSync(path) ? statSync(path) : undefined

/** The folder at a path, or the file alone. A model's own weights file stands for the folder around it. */
export async function diskFiles(path: string): Promise<Files> {
  const at = resolve(path)
  if (!existsSync(at)) throw new AppError('not-found', `There is nothing at ${at}.`)
  if (statSync(at).isDirectory()) {
    const names = (await readdir(at, { withFileTypes: true })).filter(entry => !entry.isDirectory()).map(entry => entry.name)
    return { name: basename(at), names, open: name => fileSource(join(at, name)) }
  }
  const part = /^(adapter_model|model)\.safetensors(\.index\.json)?$|^(adapter_)?config\.json$/
  const config = basename(at).startsWith('adapter_') ? 'adapter_config.json' : 'config.json'
  if (part.test(basename(at)) && existsSync(join(dirname(at), config))) return diskFiles(dirname(at))
  return { name: basename(at), names: [basename(at)], open: () => fileSource(at) }
}

/** Writes the files into a folder, each whole before the next. The caller makes the folder appear at once. */
export async function writeFiles(folder: string, files: readonly OutFile[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const file of files) {
    const handle = await open(join(folder, file.name), 'w')
    try {
      for await (const chunk of file.chunks()) await handle.writeFile(chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}
