import { inflateSync } from 'fflate'
import { AppError } from '../../contract/errors'
import type { ByteSource } from './bytes'

/** The entries of a zip archive, read one at a time: an .npz of a large model does not fit in memory twice. */
export interface ZipEntry {
  name: string
  size: number
  /** the entry, or where that saves reading at least its first bytes */
  read(first?: number): Promise<Uint8Array>
}

const END = 0x06054b50, CENTRAL = 0x02014b50, LOCAL = 0x04034b50, WIDE = 0xffffffff

export async function zipEntries(source: ByteSource): Promise<ZipEntry[]> {
  const fail = (what: string) => new AppError('model-unreadable', `${source.name}: ${what}`)
  const tailAt = Math.max(0, source.size - 65_557)
  const tail = view(await source.read(tailAt, source.size - tailAt))
  let end = tail.byteLength - 22
  while (end >= 0 && tail.getUint32(end, true) !== END) end--
  if (end < 0) throw fail('is no zip archive, or is cut short: its directory at the end is missing.')
  const size = tail.getUint32(end + 12, true), start = tail.getUint32(end + 16, true)
  if (start + size > source.size) throw fail('is cut short, or larger than 4 GB, which Engram does not read in a zip archive.')
  return directory(view(await source.read(start, size)), source, fail)
}

function directory(bytes: DataView, source: ByteSource, fail: (what: string) => AppError): ZipEntry[] {
  const entries: ZipEntry[] = []
  for (let at = 0; at + 46 <= bytes.byteLength;) {
    if (bytes.getUint32(at, true) !== CENTRAL) throw fail('has a damaged directory.')
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map(o => bytes.getUint16(at + o, true)) as [number, number, number]
    const method = bytes.getUint16(at + 10, true)
    const next = at + 46 + nameLength + extraLength + commentLength
    if (next > bytes.byteLength) throw fail('has a damaged directory.')
    const text = new Uint8Array(bytes.buffer, bytes.byteOffset + at + 46, nameLength)
    const name = String.fromCharCode(...text)
    const [packed, size, offset] = [20, 24, 42].map(o => bytes.getUint32(at + o, true)) as [number, number, number]
    if ([packed, size, offset].includes(WIDE)) throw fail(`entry ${name} is larger than 4 GB, which Engram does not read in a zip archive.`)
    if (method !== 0 && method !== 8) throw fail(`entry ${name} is packed by method ${method}; only stored and deflated ones can be read.`)
    entries.push({ name, size, read: first => entryBytes(source, { name, method, packed, size, offset }, fail, first) })
    at = next
  }
  return entries
}

interface Packed { name: string; method: number; packed: number; size: number; offset: number }

async function entryBytes(source: ByteSource, e: Packed, fail: (what: string) => AppError, first = e.size): Promise<Uint8Array> {
  const local = view(await source.read(e.offset, 30))
  if (local.byteLength < 30 || local.getUint32(0, true) !== LOCAL) throw fail(`entry ${e.name} is damaged.`)
  const start = e.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true)
  const wanted = e.method === 0 ? Math.min(first, e.packed) : e.packed
  const raw = await source.read(start, wanted)
  if (raw.byteLength !== wanted) throw fail(`entry ${e.name} is cut short.`)
  if (e.method === 0 && wanted < e.size) return raw
  const bytes = e.method === 0 ? raw : inflated(raw, e, fail)
  if (bytes.byteLength !== e.size) throw fail(`entry ${e.name} has ${bytes.byteLength} bytes instead of ${e.size}.`)
  return bytes
}

function inflated(raw: Uint8Array, e: Packed, fail: (what: string) => AppError): Uint8Array {
  try {
    return inflateSync(raw, { out: new Uint8Array(e.size) })
  } catch {
    throw fail(`entry ${e.name} is damaged.`)
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
