import { open as openFile, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openFailure, unreadable } from './failures'
import { openFolder } from './readers/folder'
import { isIdxName, openIdx } from './readers/idx'
import { isListName, listsIn, openList } from './readers/list'
import { findParquet, openParquet } from './readers/parquet'
import { openZip } from './readers/zip'
import { splitOf } from './names'
import type { DatasetSource } from './types'

/** Opens a dataset of any known kind: its images are listed and labelled, none is decoded. Close it when done. */
export async function openDataset(path: string): Promise<DatasetSource> {
  const absolute = resolve(path)
  try {
    const entry = await stat(absolute)
    if (entry.isDirectory()) return await openAnyFolder(absolute)
    if (entry.isFile()) return await openAnyFile(absolute)
  } catch (thrown) {
    throw openFailure(absolute, thrown)
  }
  throw unreadable(`${absolute} is neither a folder nor a file: choose a folder, zip, parquet, idx or list file with labelled images.`)
}

async function openAnyFolder(path: string): Promise<DatasetSource> {
  const entries = await readdir(path, { withFileTypes: true })
  if (entries.some(entry => !entry.isDirectory() && isIdxName(entry.name))) return openIdx(path)
  // torchvision keeps MNIST's files in a folder of this name.
  if (entries.some(entry => entry.name === 'raw') && (await readdir(join(path, 'raw')).catch(() => [])).some(isIdxName)) return openIdx(join(path, 'raw'))
  const splits = entries.some(entry => entry.isDirectory() && splitOf(entry.name) === 'train')
  if (!splits && (await listsIn(path))) return openList(path)
  const shards = await findParquet(path)
  return shards.length > 0 ? openParquet(path, shards) : openFolder(path)
}

async function openAnyFile(path: string): Promise<DatasetSource> {
  const head = await firstBytes(path)
  if (head === 'PAR1' || /\.parquet$/i.test(path)) return openParquet(path, [path])
  if (head.startsWith('PK') || /\.zip$/i.test(path)) return openZip(path)
  if (isIdxName(path.split(/[\\/]/).at(-1)!)) return openIdx(path)
  if (isListName(path)) return openList(path)
  throw unreadable(`${path} is not a dataset that Engram reads: choose a folder of class folders, a zip of one, or a parquet, idx or list file.`)
}

async function firstBytes(path: string): Promise<string> {
  const file = await openFile(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}
