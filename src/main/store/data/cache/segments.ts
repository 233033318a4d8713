import { open, stat, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { join } from 'node:path'

// A segment is what one process wrote: `.pixels`, images one after the other, and `.index`, one record for each, added
// when its pixels are written. So a killed writer leaves whole images, and two writers never touch the same file.
const RECORD = 24
const FLUSH_BYTES = 8 * 2 ** 20
const FLUSH_RECORDS = 256

/** Where an image lies. A broken one has width 0, and its reason, `height` bytes long, in place of pixels. */
export interface Place { readonly segment: string; readonly offset: number; readonly width: number; readonly height: number; readonly crc: number; verified: boolean }
export interface Written { readonly sample: number; readonly place: Place }

export const bytesOf = (place: Pick<Place, 'width' | 'height'>): number => (place.width === 0 ? place.height : place.width * place.height * 3)

export interface SegmentWriter {
  add(sample: number, image: { width: number; height: number; pixels: Uint8Array }): Promise<void>
  addBroken(sample: number, reason: string): Promise<void>
  /** Writes what waits and closes the files. */
  finish(): Promise<void>
}

/** Starts a segment of this process in a cache entry; `written` hears of images once they can be read. */
export async function createSegment(folder: string, name: string, written: (batch: readonly Written[]) => void): Promise<SegmentWriter> {
  const pixels = await open(join(folder, `${name}.pixels`), 'wx')
  const index = await open(join(folder, `${name}.index`), 'wx').catch(async (thrown: unknown) => {
    await pixels.close()
    throw thrown
  })
  const queue = createQueue(async (records, chunks, at) => {
    try {
      await writeAll(pixels, chunks)
      await writeAll(index, [encode(records)])
    } catch (thrown) {
      await pixels.truncate(at).catch(() => undefined)
      throw thrown
    }
    written(records)
  })
  return {
    add: (sample, { width, height, pixels: bytes }) => queue.put(sample, { segment: name, width, height }, bytes),
    addBroken(sample, reason) {
      const text = Buffer.from(reason)
      return queue.put(sample, { segment: name, width: 0, height: text.length }, text)
    },
    async finish() {
      try {
        await queue.flush()
      } finally {
        await pixels.close()
        await index.close()
      }
    },
  }
}

/** Gathers images and hands them over in batches, one batch after the other; after a failure no more. */
function createQueue(write: (records: Written[], chunks: Uint8Array[], at: number) => Promise<void>) {
  let records: Written[] = []
  let chunks: Uint8Array[] = []
  let [start, end] = [0, 0]
  let tail = Promise.resolve()
  const flush = (): Promise<void> => {
    if (records.length > 0) {
      const [someRecords, someChunks, at] = [records, chunks, start]
      tail = tail.then(() => write(someRecords, someChunks, at))
      tail.catch(() => undefined)
      ;[records, chunks, start] = [[], [], end]
    }
    return tail
  }
  return {
    flush,
    async put(sample: number, shape: Pick<Place, 'segment' | 'width' | 'height'>, bytes: Uint8Array) {
      records.push({ sample, place: { ...shape, offset: end, crc: crc32(bytes), verified: false } })
      chunks.push(bytes)
      end += bytes.length
      if (end - start >= FLUSH_BYTES || records.length >= FLUSH_RECORDS) await flush()
    },
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  // The system takes at most 1024 pieces at a time, and may write fewer bytes than it was given.
  for (let i = 0; i < chunks.length; i += 512) {
    const part = chunks.slice(i, i + 512)
    const bytes = part.reduce((sum, chunk) => sum + chunk.length, 0)
    const { bytesWritten } = await file.writev(part)
    if (bytesWritten < bytes) await writeRest(file, Buffer.concat(part).subarray(bytesWritten))
  }
}

async function writeRest(file: FileHandle, rest: Uint8Array): Promise<void> {
  for (let at = 0; at < rest.length;) at += (await file.write(rest, at, rest.length - at)).bytesWritten
}

function encode(records: readonly Written[]): Uint8Array {
  const bytes = Buffer.alloc(records.length * RECORD)
  records.forEach(({ sample, place }, i) => {
    const at = i * RECORD
    bytes.writeUInt32LE(sample, at)
    bytes.writeUInt32LE(place.width, at + 4)
    bytes.writeUInt32LE(place.height, at + 8)
    bytes.writeUInt32LE(place.crc, at + 12)
    bytes.writeDoubleLE(place.offset, at + 16)
  })
  return bytes
}

/** The images of a segment that are whole, those after byte `from` of its index, and where its index ends now. */
export async function readSegment(folder: string, name: string, from = 0): Promise<{ records: Written[]; end: number }> {
  const bytes = await readFrom(join(folder, `${name}.index`), from)
  const { size } = await stat(join(folder, `${name}.pixels`))
  const records: Written[] = []
  let at = 0
  for (; at + RECORD <= bytes.length; at += RECORD) {
    const [width, height, crc] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12)]
    const place = { segment: name, width, height, crc, offset: bytes.readDoubleLE(at + 16), verified: false }
    if (place.offset >= 0 && place.offset + bytesOf(place) <= size) records.push({ sample: bytes.readUInt32LE(at), place })
  }
  return { records, end: from + at }
}

async function readFrom(path: string, from: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - from)), 0, Math.max(0, size - from), from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
