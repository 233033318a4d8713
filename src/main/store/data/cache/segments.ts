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

interface Waiting { records: Written[]; chunks: Uint8Array[]; bytes: number }

/** Starts a segment of this process in a cache entry; `written` hears of images once they can be read. */
export async function createSegment(folder: string, name: string, written: (batch: readonly Written[]) => void): Promise<SegmentWriter> {
  const pixels = await open(join(folder, `${name}.pixels`), 'wx')
  const index = await open(join(folder, `${name}.index`), 'wx').catch(async (thrown: unknown) => {
    await pixels.close()
    throw thrown
  })
  let end = 0
  let waiting: Waiting = { records: [], chunks: [], bytes: 0 }
  let tail = Promise.resolve()

  const write = async (batch: Waiting, at: number) => {
    try {
      await writeAll(pixels, batch.chunks)
      await writeAll(index, [encode(batch.records)])
    } catch (thrown) {
      await pixels.truncate(at).catch(() => undefined)
      throw thrown
    }
    written(batch.records)
  }
  const flush = (): Promise<void> => {
    const batch = waiting
    waiting = { records: [], chunks: [], bytes: 0 }
    const at = end - batch.bytes
    if (batch.records.length > 0) tail = tail.then(() => write(batch, at))
    tail.catch(() => undefined)
    return tail
  }
  const put = async (sample: number, width: number, height: number, bytes: Uint8Array) => {
    const place = { segment: name, offset: end, width, height, crc: crc32(bytes), verified: false }
    end += bytes.length
    waiting.records.push({ sample, place })
    waiting.chunks.push(bytes)
    waiting.bytes += bytes.length
    if (waiting.bytes >= FLUSH_BYTES || waiting.records.length >= FLUSH_RECORDS) await flush()
  }
  return {
    add: (sample, { width, height, pixels: bytes }) => put(sample, width, height, bytes),
    addBroken(sample, reason) {
      const text = Buffer.from(reason)
      return put(sample, 0, text.length, text)
    },
    async finish() {
      try {
        await flush()
      } finally {
        await pixels.close()
        await index.close()
      }
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
    const place = { segment: name, width: bytes.readUInt32LE(at + 4), height: bytes.readUInt32LE(at + 8), crc: bytes.readUInt32LE(at + 12), offset: bytes.readDoubleLE(at + 16), verified: false }
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
