import { open, type FileHandle } from 'node:fs/promises'
import * as zlib from 'node:zlib'
import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer, type Compressors, type FileMetaData, type SchemaTree } from 'hyparquet'
import { invalid, messageOf, openFailure, unreadable } from '../failures'
import { BrokenImage } from '../types'

/** One parquet file with images in one column and labels in another. */
export interface ParquetFile {
  readonly path: string
  readonly rows: number
  readonly imageColumn: string
  readonly labelColumn: string
  /** Names of integer labels, from the schema that Hugging Face datasets write. */
  readonly classNames: string[] | null
  labels(): Promise<unknown[]>
  image(row: number): Promise<Uint8Array>
  close(): Promise<void>
}

const zstd = (zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }).zstdDecompressSync
const compressors: Compressors = {
  GZIP: bytes => zlib.gunzipSync(bytes),
  BROTLI: bytes => zlib.brotliDecompressSync(bytes),
  ...(zstd ? { ZSTD: (bytes: Uint8Array) => zstd(bytes) } : {}),
}
const damaged = (path: string, thrown: unknown) => unreadable(`${path} is not a complete parquet file (${messageOf(thrown)}): download it again.`, thrown)

export async function openParquetFile(path: string): Promise<ParquetFile> {
  const handle = await open(path).catch((thrown: unknown) => { throw openFailure(path, thrown) })
  try {
    const file = bufferOf(handle, (await handle.stat()).size)
    const metadata = await parquetMetadataAsync(file).catch((thrown: unknown) => { throw damaged(path, thrown) })
    const { image, label } = findColumns(metadata, path)
    return {
      path, rows: Number(metadata.num_rows), imageColumn: image, labelColumn: label, classNames: classNamesOf(metadata, label),
      labels: () => readColumn(file, metadata, label).catch((thrown: unknown) => { throw damaged(path, thrown) }),
      image: blockReader(file, metadata, image),
      close: () => handle.close(),
    }
  } catch (thrown) {
    await handle.close()
    throw openFailure(path, thrown)
  }
}

function bufferOf(handle: FileHandle, size: number): AsyncBuffer {
  return {
    byteLength: size,
    async slice(start, end = size) {
      const length = Math.max(0, Math.min(end, size) - start)
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, start)
      if (bytesRead < length) throw new Error('the file ends too early')
      return buffer.buffer
    },
  }
}

async function readColumn(file: AsyncBuffer, metadata: FileMetaData, column: string, rows?: { rowStart: number; rowEnd: number }): Promise<unknown[]> {
  const objects = await parquetReadObjects({ file, metadata, columns: [column], compressors, utf8: false, ...rows })
  return objects.map(object => (object as Record<string, unknown>)[column])
}

const BLOCKS_KEPT = 2

/** Reads single images; a row group is unpacked as a whole, so the newest ones stay in memory. */
function blockReader(file: AsyncBuffer, metadata: FileMetaData, column: string): (row: number) => Promise<Uint8Array> {
  const ends: number[] = []
  for (const group of metadata.row_groups) ends.push((ends.at(-1) ?? 0) + Number(group.num_rows))
  const blocks = new Map<number, Promise<unknown[]>>()
  const blockOf = (group: number): Promise<unknown[]> => {
    const kept = blocks.get(group)
    if (kept) return kept
    const block = readColumn(file, metadata, column, { rowStart: ends[group - 1] ?? 0, rowEnd: ends[group]! })
    blocks.set(group, block)
    for (const old of [...blocks.keys()].slice(0, -BLOCKS_KEPT)) blocks.delete(old)
    return block
  }
  return async row => {
    const group = ends.findIndex(end => row < end)
    const rows = await blockOf(group).catch((thrown: unknown) => { throw new BrokenImage(`its part of the parquet file cannot be read: ${messageOf(thrown)}`, { cause: thrown }) })
    const value = rows[row - (ends[group - 1] ?? 0)]
    const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null)?.bytes
    if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw new BrokenImage('its row holds no image bytes')
    return bytes
  }
}

function findColumns(metadata: FileMetaData, path: string): { image: string; label: string } {
  const columns = parquetSchema(metadata).children
  const images = columns.filter(holdsImages).map(column => column.element.name)
  const labels = columns.filter(column => holdsLabels(column) && !images.includes(column.element.name)).map(column => column.element.name)
  const image = best(images, ['image', 'img', 'images'])
  if (!image) throw invalid(`${path} has no column with image bytes among ${names(columns)}: choose a parquet file of an image dataset.`)
  const annotated = Object.entries(featuresOf(metadata)).flatMap(([name, feature]) => (feature._type === 'ClassLabel' && labels.includes(name) ? [name] : []))
  const usual = ['label', 'labels', 'fine_label', 'class', 'target', 'category', 'y']
  const label = best(annotated, usual) ?? usual.find(name => labels.includes(name)) ?? (labels.length === 1 ? labels[0] : undefined)
  if (!label) throw invalid(`${path} has no column of labels among ${names(columns)}: name the one with the classes "label".`)
  return { image, label }
}

const best = (found: readonly string[], usual: readonly string[]) => usual.find(name => found.includes(name)) ?? found[0]
const names = (columns: readonly SchemaTree[]) => columns.map(column => column.element.name).join(', ') || 'its columns'
const isText = ({ element }: SchemaTree) => element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING'
const isBytes = (column: SchemaTree) => column.element.type === 'BYTE_ARRAY' && !isText(column)
const holdsImages = (column: SchemaTree) => isBytes(column) || column.children.some(child => child.element.name === 'bytes' && isBytes(child))
const holdsLabels = (column: SchemaTree) => column.children.length === 0 && (column.element.type === 'INT32' || column.element.type === 'INT64' || column.element.type === 'BOOLEAN' || isText(column))

interface Feature { _type?: unknown; names?: unknown }

function featuresOf(metadata: FileMetaData): Record<string, Feature> {
  const text = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value
  try {
    const features: unknown = (JSON.parse(text ?? '{}') as { info?: { features?: unknown } }).info?.features
    const entries = Object.entries(features ?? {}).filter(([, feature]) => typeof feature === 'object' && feature !== null)
    return Object.fromEntries(entries) as Record<string, Feature>
  } catch {
    return {}
  }
}

function classNamesOf(metadata: FileMetaData, label: string): string[] | null {
  const feature = featuresOf(metadata)[label]
  const list = feature?._type === 'ClassLabel' ? feature.names : null
  return Array.isArray(list) && list.length > 0 && list.every(name => typeof name === 'string') ? list : null
}
