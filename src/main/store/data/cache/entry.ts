import { mkdir, open, readdir, rename, rm, stat, utimes, writeFile, type FileHandle } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { errno, unreadable } from '../failures'
import { addressOf } from '../fingerprint'
import type { View } from '../view'
import { bytesOf, createSegment, readSegment, type Place, type SegmentWriter } from './segments'
import { inUse, useEntry } from './use'

export type Storing = 'model' | 'wide'
/** What the images of an entry are, and what its key is made from. */
export interface EntryContent { readonly name: string; readonly fingerprint: string; readonly view: View; readonly storing: Storing }

const FORMAT = 1
export const MANIFEST = 'manifest.json'

/** The folder name of an entry: of which data, and of which view. */
export function entryKey({ fingerprint, view, storing }: EntryContent): string {
  const shape = storing === 'model' ? [view.resize, view.cropFraction] : []
  const address = addressOf([[FORMAT, storing, view.imageSize, view.interpolation, ...shape].join(' ')])
  return `${keyPrefix(fingerprint)}${address.slice(0, 12)}`
}
/** How the keys of all views of one dataset begin. */
export const keyPrefix = (fingerprint: string): string => `${fingerprint.slice(0, 24)}-`

/** Prepared images of one dataset and view on the disk. While it is open, nobody removes it. */
export interface CacheEntry {
  readonly key: string
  readonly folder: string
  /** Another process had it open when it was opened here. */
  readonly shared: boolean
  has(sample: number): boolean
  size(sample: number): { width: number; height: number }
  /** Why a sample is broken, or undefined when it is not. */
  reason(sample: number): Promise<string | undefined>
  read(sample: number, into: Uint8Array, at: number): Promise<void>
  /** Learns what other processes have added meanwhile. */
  refresh(): Promise<void>
  write(): Promise<SegmentWriter>
  close(): Promise<void>
}

/** Opens an entry of the cache and makes it if need be. */
export async function openEntry(cacheDir: string, content: EntryContent): Promise<CacheEntry> {
  const key = entryKey(content)
  const folder = join(cacheDir, key)
  for (let attempt = 0; ; attempt++) {
    await createFolder(cacheDir, folder, content)
    try {
      const shared = inUse(folder)
      const release = await useEntry(folder)
      // It may have been removed between the two steps; once its use is noted it stays.
      await touch(folder)
      return await readEntry({ folder, key, shared, name: content.name, release })
    } catch (thrown) {
      if (errno(thrown) !== 'ENOENT' || attempt === 4) throw thrown
    }
  }
}

const touch = (folder: string) => utimes(join(folder, MANIFEST), new Date(), new Date())

/** Makes the folder with its manifest under another name first, so that it is never seen half made. */
async function createFolder(cacheDir: string, folder: string, content: EntryContent): Promise<void> {
  if (await stat(join(folder, MANIFEST)).then(() => true, () => false)) return
  await mkdir(cacheDir, { recursive: true })
  const made = join(cacheDir, `.tmp-${process.pid}-${randomBytes(4).toString('hex')}-entry`)
  try {
    await mkdir(made)
    await writeFile(join(made, MANIFEST), `${JSON.stringify({ format: FORMAT, ...content }, null, 2)}\n`)
    await rename(made, folder)
  } catch (thrown) {
    await rm(made, { recursive: true, force: true })
    if (!['EEXIST', 'ENOTEMPTY', 'EPERM'].includes(errno(thrown)) || !(await stat(folder).then(() => true, () => false))) throw thrown
  }
}

interface Held { folder: string; key: string; shared: boolean; name: string; release(): Promise<void> }

async function readEntry({ folder, key, shared, name, release }: Held): Promise<CacheEntry> {
  const places = new Map<number, Place>()
  const own = new Set<string>()
  const refresh = createRefresh(folder, own, places)
  const files = createReader(folder)
  const load = async (sample: number, into: Uint8Array, at: number) => {
    const place = places.get(sample)
    if (!place) throw new Error(`Image ${sample} of ${name} was not prepared.`)
    if (await files.read(place, into, at)) return
    throw unreadable(`The prepared images of ${name} in ${folder} are damaged: clear the cache, then start again.`)
  }
  await refresh()
  return {
    key, folder, shared, refresh, read: load,
    has: sample => places.has(sample),
    size: sample => ({ width: places.get(sample)!.width, height: places.get(sample)!.height }),
    async reason(sample) {
      const place = places.get(sample)
      if (place?.width !== 0) return undefined
      const text = new Uint8Array(place.height)
      await load(sample, text, 0)
      return Buffer.from(text).toString('utf8')
    },
    write() {
      const segment = `${process.pid}-${randomBytes(4).toString('hex')}`
      own.add(segment)
      return createSegment(folder, segment, batch => { for (const { sample, place } of batch) places.set(sample, place) })
    },
    async close() {
      await files.close()
      await touch(folder).catch(() => undefined)
      await release()
    },
  }
}

/** Adds to `places` what segments other than our own have gained since the last time. */
function createRefresh(folder: string, own: ReadonlySet<string>, places: Map<number, Place>): () => Promise<void> {
  const known = new Map<string, number>()
  return async () => {
    for (const file of await readdir(folder)) {
      const segment = file.replace(/\.index$/, '')
      if (segment === file || own.has(segment)) continue
      const { records, end } = await readSegment(folder, segment, known.get(segment))
      known.set(segment, end)
      for (const { sample, place } of records) if (!places.has(sample)) places.set(sample, place)
    }
  }
}

/** Reads images; false for one whose bytes are not those that were written. */
function createReader(folder: string) {
  const files = new Map<string, Promise<FileHandle>>()
  return {
    async read(place: Place, into: Uint8Array, at: number): Promise<boolean> {
      const file = files.get(place.segment) ?? open(join(folder, `${place.segment}.pixels`))
      files.set(place.segment, file)
      const length = bytesOf(place)
      const { bytesRead } = await (await file).read(into, at, length, place.offset)
      // After a power cut an index may be on the disk without its pixels; once seen whole they stay so.
      place.verified ||= bytesRead === length && crc32(into.subarray(at, at + length)) === place.crc
      return place.verified
    },
    async close() {
      for (const file of files.values()) await file.then(handle => handle.close(), () => undefined)
    },
  }
}

/** The broken images that a cache entry knows of, by sample. */
export async function brokenIn(folder: string): Promise<Map<number, string>> {
  const broken = new Map<number, string>()
  const segments = (await readdir(folder)).filter(file => file.endsWith('.index')).map(file => file.slice(0, -'.index'.length))
  for (const segment of segments) {
    const records = (await readSegment(folder, segment)).records.filter(({ place }) => place.width === 0)
    if (records.length === 0) continue
    const file = await open(join(folder, `${segment}.pixels`))
    try {
      for (const { sample, place } of records) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(place.height), 0, place.height, place.offset)
        broken.set(sample, buffer.toString('utf8', 0, bytesRead))
      }
    } finally {
      await file.close()
    }
  }
  return broken
}
