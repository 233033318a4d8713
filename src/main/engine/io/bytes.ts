/** Bytes that can be read piece by piece: a file, an entry of an archive, a buffer. */
export interface ByteSource {
  /** for people, such as model.safetensors */
  name: string
  size: number
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A folder as a list of names, or one file alone. */
export interface Files {
  /** of the folder or file, for people */
  name: string
  names: readonly string[]
  open(name: string): ByteSource
}

/** A file to be written. Its bytes come in chunks, so that a large model need not be in memory twice. */
export interface OutFile {
  name: string
  size: number
  chunks(): AsyncIterable<Uint8Array>
}

export const bytesSource = (name: string, bytes: Uint8Array): ByteSource =>
  ({ name, size: bytes.byteLength, read: async (offset, length) => bytes.subarray(offset, offset + length) })

export const memoryFiles = (name: string, files: ReadonlyMap<string, Uint8Array>): Files => ({
  name, names: [...files.keys()],
  open: file => bytesSource(file, files.get(file) ?? new Uint8Array(0)),
})

export function textFile(name: string, text: string): OutFile {
  const bytes = new TextEncoder().encode(text)
  return { name, size: bytes.byteLength, async* chunks() { yield bytes } }
}
export const jsonFile = (name: string, value: unknown): OutFile => textFile(name, `${withFloats(JSON.stringify(value, null, 2))}\n`)

/** transformers refuses a whole number where a configuration field is a float, and JavaScript writes 1.0 as 1. */
const floatFields = /("(?:\w+_(?:prob|range|eps|value|rate|dropout|factor)|dropout)": -?\d+)(?=,?$)/gm
const withFloats = (json: string): string => json.replace(floatFields, '$1.0')

/** A file's bytes in one piece, for small ones and for tests. */
export async function collect(file: OutFile): Promise<Uint8Array> {
  const all = new Uint8Array(file.size)
  let at = 0
  for await (const chunk of file.chunks()) {
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}

export const collected = async (name: string, files: readonly OutFile[]): Promise<Files> =>
  memoryFiles(name, new Map(await Promise.all(files.map(async file => [file.name, await collect(file)] as const))))

/** Engine code knows no DOM and no Node, but both have these. */
declare class TextEncoder { encode(text: string): Uint8Array<ArrayBuffer> }
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean })
  decode(bytes: Uint8Array): string
}
export const decodeUtf8 = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)
export const encodeUtf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
