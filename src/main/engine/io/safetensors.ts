import { z } from 'zod'
import { AppError } from '../../contract/errors'
import { count } from '../sites'
import { collect, decodeUtf8, encodeUtf8, type ByteSource, type Files, type OutFile } from './bytes'
import { dtypeBytes, isDtype, toBytes, toFloat32, toInt32, type Dtype, type Written } from './dtypes'
import { topLevelKeys } from './jsonKeys'

/** A tensor in a file. Nothing of it is in memory until it is read. */
export interface StoredTensor {
  name: string
  /** of the file that holds it */
  file: string
  dtype: string
  shape: readonly number[]
  bytes: number
  /** all numbers, or those from the first to before the second */
  read(range?: readonly [number, number]): Promise<Float32Array<ArrayBuffer>>
  /** integers only: labels, token ids */
  readInt32(): Promise<Int32Array<ArrayBuffer>>
}
export type TensorStore = ReadonlyMap<string, StoredTensor>

/** The reference implementation's own limit. */
const LARGEST_HEADER = 100_000_000

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
})

export const unreadable = (file: string, what: string, hint?: string): AppError =>
  new AppError('model-unreadable', `${file}: ${what}`, hint ? { hint } : {})

/** The tensors of one safetensors file, from its header alone. */
export async function openSafetensors(source: ByteSource): Promise<TensorStore> {
  const { entries, start } = await readHeader(source)
  const tensors = new Map<string, StoredTensor>()
  const spans: { name: string; from: number; to: number }[] = []
  for (const [name, value] of entries) {
    if (name === '__metadata__') continue
    const tensor = storedTensor(source, name, value, start)
    tensors.set(name, tensor.stored)
    if (tensor.to > tensor.from) spans.push({ name, from: tensor.from, to: tensor.to })
  }
  refuseOverlap(source.name, spans)
  return tensors
}

async function readHeader(source: ByteSource): Promise<{ entries: [string, unknown][]; start: number }> {
  const fail = (what: string) => unreadable(source.name, what)
  if (source.size < 8) throw fail(`is no safetensors file: it has ${source.size} bytes, and the header's length alone takes 8.`)
  const first = await exactly(source, 0, 8)
  const length = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true))
  if (length > LARGEST_HEADER) throw fail(`is no safetensors file: its header would be ${length} bytes long.`)
  if (8 + length > source.size) throw fail(`is cut short: its header should be ${length} bytes long, but the file has only ${source.size}.`)
  const raw = await exactly(source, 8, length)
  const text = attempt(() => decodeUtf8(raw))
  const header = text === null ? null : attempt(() => JSON.parse(text) as unknown)
  if (text === null || typeof header !== 'object' || header === null || Array.isArray(header)) throw fail('is no safetensors file: its header is not a JSON object.')
  const keys = topLevelKeys(text)
  if (keys.length > Object.keys(header).length) throw fail(`lists tensor "${keys.find((key, i) => keys.indexOf(key) !== i)}" twice.`)
  return { entries: Object.entries(header), start: 8 + length }
}

function storedTensor(source: ByteSource, name: string, value: unknown, start: number): { stored: StoredTensor; from: number; to: number } {
  const fail = (what: string) => unreadable(source.name, `tensor "${name}" ${what}`)
  const parsed = Entry.safeParse(value)
  if (!parsed.success) throw fail(`has a broken header entry (${parsed.error.issues[0]!.path.join('.') || 'not an object'}).`)
  const { dtype, shape, data_offsets: [from, to] } = parsed.data
  if (!isDtype(dtype)) throw fail(`has the unknown number format ${dtype}.`)
  const bytes = count(shape) * dtypeBytes[dtype]
  if (to < from) throw fail(`ends before it begins (${from} to ${to}).`)
  if (to - from !== bytes) throw fail(`takes ${to - from} bytes, but ${dtype} [${shape.join(', ')}] needs ${bytes}.`)
  if (start + to > source.size) throw fail(`lies beyond the end of the file, which is cut short: ${source.size} bytes instead of ${start + to} or more.`)
  const size = dtypeBytes[dtype]
  const raw = ([a, b]: readonly [number, number] = [0, bytes / size]) => exactly(source, start + from + a * size, (b - a) * size)
  return { from, to, stored: { name, file: source.name, dtype, shape, bytes, ...readers(raw, dtype, fail) } }
}

function readers(raw: (range?: readonly [number, number]) => Promise<Uint8Array>, dtype: Dtype, fail: (what: string) => AppError): Pick<StoredTensor, 'read' | 'readInt32'> {
  return {
    read: async range => toFloat32(await raw(range), dtype) ?? refuse(fail(`has the number format ${dtype}, which Engram does not read.`)),
    readInt32: async () => toInt32(await raw(), dtype) ?? refuse(fail(`should hold integers, not ${dtype}.`)),
  }
}

function refuse(error: AppError): never { throw error }

function refuseOverlap(file: string, spans: { name: string; from: number; to: number }[]): void {
  spans.sort((a, b) => a.from - b.from)
  for (let i = 1; i < spans.length; i++) {
    const before = spans[i - 1]!, after = spans[i]!
    if (after.from < before.to) throw unreadable(file, `tensors "${before.name}" and "${after.name}" overlap.`)
  }
}

async function exactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length)
  if (bytes.byteLength !== length) throw unreadable(source.name, `could not be read: ${bytes.byteLength} bytes at ${offset} instead of ${length}.`)
  return bytes
}

function attempt<T>(run: () => T): T | null {
  try { return run() } catch { return null }
}

const Index = z.looseObject({ weight_map: z.record(z.string(), z.string()) })

/** The tensors of all shards that a model.safetensors.index.json lists. */
export async function openSharded(files: Files, indexName: string): Promise<TensorStore> {
  const index = files.open(indexName)
  const raw = await exactly(index, 0, index.size)
  const parsed = Index.safeParse(attempt(() => JSON.parse(decodeUtf8(raw)) as unknown))
  if (!parsed.success) throw unreadable(indexName, 'is no index of shards: it needs "weight_map", a list of tensor names and files.')
  const shards = new Map<string, TensorStore>()
  for (const shard of new Set(Object.values(parsed.data.weight_map))) {
    if (!files.names.includes(shard)) throw unreadable(shard, `is missing: ${indexName} lists it, but it is not beside it.`)
    shards.set(shard, await openSafetensors(files.open(shard)))
  }
  return new Map(Object.entries(parsed.data.weight_map).map(([name, shard]) => {
    const tensor = shards.get(shard)!.get(name)
    if (!tensor) throw unreadable(shard, `tensor "${name}" is missing, although ${indexName} says it is there.`)
    return [name, tensor]
  }))
}

export interface TensorToWrite {
  name: string
  dtype: Written
  shape: readonly number[]
  /** a function is called when the tensor's turn comes */
  data: Float32Array | Int32Array | (() => Promise<Float32Array | Int32Array>)
}

/** A safetensors file. The same tensors always give the same bytes. */
export function safetensorsFile(name: string, tensors: readonly TensorToWrite[], metadata?: Record<string, string>): OutFile {
  const { size, head, ordered } = layout(tensors, metadata)
  return { name, size, chunks: () => chunks(head, ordered) }
}

/** The bytes of such a file, where tensors can be read at once, each when its turn comes. */
export function* safetensorsChunks(tensors: readonly (Omit<TensorToWrite, 'data'> & { data: () => Float32Array })[]): Generator<Uint8Array> {
  const { head, ordered } = layout(tensors)
  yield* head
  for (const tensor of ordered) yield bytesOf(tensor, tensor.data())
}

function layout<T extends Omit<TensorToWrite, 'data'>>(tensors: readonly T[], metadata: Record<string, string> = { format: 'pt' }): { size: number; head: Uint8Array[]; ordered: T[] } {
  // wide formats first, as the reference implementation writes, so that every tensor lies aligned
  const ordered = [...tensors].sort((a, b) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype] || (a.name < b.name ? -1 : 1))
  const entries: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  let at = 0
  for (const { name: tensor, dtype, shape } of ordered) {
    const end = at + count(shape) * dtypeBytes[dtype]
    entries[tensor] = { dtype, shape: [...shape], data_offsets: [at, end] }
    at = end
  }
  const json = JSON.stringify(entries)
  const header = encodeUtf8(json + ' '.repeat((8 - encodeUtf8(json).byteLength % 8) % 8)), length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(header.byteLength), true)
  return { size: 8 + header.byteLength + at, head: [length, header], ordered }
}

async function* chunks(head: readonly Uint8Array[], tensors: readonly TensorToWrite[]): AsyncGenerator<Uint8Array> {
  yield* head
  for (const tensor of tensors) yield bytesOf(tensor, typeof tensor.data === 'function' ? await tensor.data() : tensor.data)
}

function bytesOf({ name, dtype, shape }: Omit<TensorToWrite, 'data'>, values: Float32Array | Int32Array): Uint8Array {
  if (values.length !== count(shape)) throw new Error(`${name}: ${values.length} numbers for the shape [${shape.join(', ')}].`)
  return toBytes(values, dtype)
}

/** A safetensors file in one piece. */
export const encodeSafetensors = (tensors: readonly TensorToWrite[], metadata?: Record<string, string>): Promise<Uint8Array> =>
  collect(safetensorsFile('', tensors, metadata))
