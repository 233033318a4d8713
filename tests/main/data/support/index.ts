import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Transformer } from '@napi-rs/image'
import { afterEach } from 'vitest'
import { AppError } from '../../../../src/main/contract/errors'
import { createRandom } from '../../../../src/main/engine/data/random'

export const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../fixtures')
export const references = join(fixtures, '../../../fixtures/reference/images')

const made: string[] = []
afterEach(() => { for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true }) })

/** An empty folder that is gone after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'engram-data-'))
  made.push(folder)
  return folder
}

export function put(folder: string, files: Record<string, Uint8Array | string>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

/** A small PNG of noise that `seed` determines. */
export function png(seed: number, width = 12, height = 10): Uint8Array {
  const random = createRandom('png', seed)
  const pixels = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : random.int(256)))
  return Transformer.fromRgbaPixels(pixels, width, height).pngSync()
}

/** `class/n.png` files. */
export const classFiles = (classes: readonly string[], each: number, prefix = ''): Record<string, Uint8Array> =>
  Object.fromEntries(classes.flatMap((name, c) => Array.from({ length: each }, (_, i) => [`${prefix}${name}/${i}.png`, png(c * 1000 + i)])))

export { choice, view } from './common'

/** The error that a person would see; anything else than an AppError fails the test. */
export async function refusal(work: Promise<unknown>): Promise<AppError> {
  const thrown = await work.then(() => null, (error: unknown) => error)
  if (!(thrown instanceof AppError)) throw new Error(`no AppError but ${thrown instanceof Error ? thrown.stack : String(thrown)}`)
  return thrown
}

export function difference(a: Uint8Array, b: Uint8Array): { mean: number; most: number } {
  if (a.length !== b.length) throw new Error(`${a.length} bytes against ${b.length}`)
  let [sum, most] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!)
    sum += d
    most = Math.max(most, d)
  }
  return { mean: sum / a.length, most }
}

export interface Stored { shape: number[]; bytes: Uint8Array }

/** The tensors of a reference file. */
export function readTensors(path: string): Record<string, Stored> {
  const file = readFileSync(path)
  const start = 8 + Number(file.readBigUInt64LE())
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, { shape: number[]; data_offsets: [number, number] }>
  return Object.fromEntries(Object.entries(header).filter(([name]) => name !== '__metadata__')
    .map(([name, { shape, data_offsets: [a, b] }]) => [name, { shape, bytes: file.subarray(start + a, start + b) }]))
}
