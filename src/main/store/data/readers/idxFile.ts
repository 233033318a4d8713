import { open, readFile, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, gunzip } from 'node:zlib'
import { messageOf, openFailure, unreadable } from '../failures'
import { stampOf } from '../fingerprint'
import { BrokenImage, type RawImage } from '../types'

const LARGEST = 2 ** 31 - 1
const UNSIGNED_BYTE = 8

/** The images of one idx file; they are unpacked when the first one is wanted. */
export interface IdxImages { readonly count: number; read(i: number): Promise<RawImage>; close(): Promise<void> }

/** What tells the content of an idx file: the checksum and size that end a packed one, else its size and times. */
export async function idxStamp(path: string): Promise<string> {
  const file = await open(path).catch((thrown: unknown) => { throw openFailure(path, thrown) })
  try {
    const { size } = await file.stat()
    const packed = isPacked(await readAt(file, 0, 2))
    return packed ? `${size} ${Buffer.from(await readAt(file, size - 8, 8)).toString('hex')}` : await stampOf(path)
  } catch (thrown) {
    throw openFailure(path, thrown)
  } finally {
    await file.close()
  }
}

interface Header { dims: number[]; offset: number; bytes: number }

const isPacked = (head: Uint8Array) => head[0] === 0x1f && head[1] === 0x8b
const damaged = (path: string, what: string, cause?: unknown) => unreadable(`${path} is not a complete idx file (${what}): download it again.`, cause)

/** The labels of one idx file. */
export async function readIdxLabels(path: string): Promise<Uint8Array> {
  const bytes = await readAll(path)
  const header = readHeader(bytes, path)
  if (header.dims.length !== 1) throw damaged(path, `it has ${header.dims.length} dimensions where labels have one`)
  if (bytes.length !== header.offset + header.bytes) throw damaged(path, `it has ${bytes.length} bytes where ${header.offset + header.bytes} belong`)
  return bytes.subarray(header.offset)
}

async function readAll(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((thrown: unknown) => { throw openFailure(path, thrown) })
  return isPacked(bytes) ? unpack(bytes, path) : bytes
}

const unpack = (bytes: Uint8Array, path: string): Promise<Uint8Array> =>
  promisify(gunzip)(bytes, { maxOutputLength: LARGEST }).catch((thrown: unknown) => { throw damaged(path, messageOf(thrown), thrown) })

function readHeader(bytes: Uint8Array, path: string): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const rank = bytes[3] ?? 0
  const offset = 4 + 4 * rank
  if (bytes.length < 8 || view.getUint16(0) !== 0 || rank < 1 || rank > 4 || bytes.length < offset) throw damaged(path, 'it does not begin with an idx header')
  if (bytes[2] !== UNSIGNED_BYTE) throw damaged(path, `its values are of type 0x${bytes[2]!.toString(16)}, only bytes are read`)
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  return { dims, offset, bytes: dims.reduce((a, b) => a * b, 1) }
}

/** Opens an idx file of images, [N, height, width] or [N, height, width, 3]; sizes are checked before anything is unpacked. */
export async function openIdxImages(path: string): Promise<IdxImages> {
  const file = await open(path).catch((thrown: unknown) => { throw openFailure(path, thrown) })
  try {
    const { size } = await file.stat()
    const head = await readAt(file, 0, Math.min(size, 4096))
    const packed = isPacked(head)
    const header = readHeader(packed ? await unpackStart(head, path) : head, path)
    const [count = 0, height = 0, width = 0, channels = 1] = header.dims
    if (header.dims.length < 3 || (channels !== 1 && channels !== 3) || width * height === 0) throw damaged(path, `its dimensions are ${header.dims.join(' x ')}, images have count x height x width`)
    const expected = header.offset + header.bytes
    // A gzip file ends with its unpacked size modulo 2^32, so that a cut-off download shows without unpacking it.
    const actual = packed ? Buffer.from(await readAt(file, size - 4, 4)).readUInt32LE() : size
    if (actual !== (packed ? expected % 2 ** 32 : expected)) throw damaged(path, `it is cut off or has ${packed ? 'more' : 'other'} data than its header says`)
    let whole: Promise<Uint8Array> | null = null
    const bytes = width * height * channels
    return {
      count,
      async read(i) {
        const start = header.offset + i * bytes
        const pixels = packed ? (await (whole ??= readAll(path))).subarray(start, start + bytes) : await readAt(file, start, bytes)
        if (pixels.length !== bytes) throw new BrokenImage('the idx file ends before it')
        return { width, height, channels, pixels }
      },
      async close() {
        whole = null
        await file.close()
      },
    }
  } catch (thrown) {
    await file.close()
    throw openFailure(path, thrown)
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(Math.max(0, length)), 0, Math.max(0, length), Math.max(0, position))
  return buffer.subarray(0, bytesRead)
}

/** Unpacks as much as the first bytes of a gzip file give. */
const unpackStart = (head: Uint8Array, path: string): Promise<Uint8Array> =>
  promisify(gunzip)(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: LARGEST }).catch((thrown: unknown) => { throw damaged(path, messageOf(thrown), thrown) })
