import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/main/contract/errors'
import { createRandom } from '../../../src/main/engine/data/random'
import { bytesSource, collect, memoryFiles, type ByteSource } from '../../../src/main/engine/io/bytes'
import { toBfloat16, toFloat16, toFloat32 } from '../../../src/main/engine/io/dtypes'
import { encodeSafetensors, openSafetensors, openSharded, safetensorsFile } from '../../../src/main/engine/io/safetensors'
import { fixtureFiles, fixturePath, fixtureTensors } from './fixtures'
import { readFileSync } from 'node:fs'

const F32 = (shape: number[], from: number) => ({ dtype: 'F32', shape, data_offsets: [from, from + 4 * shape.reduce((a, b) => a * b, 1)] })
function file(header: unknown, data = 64, length?: bigint): ByteSource {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + data)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  bytes.set(text, 8)
  return bytesSource('w.safetensors', bytes)
}
const refusal = async (source: ByteSource): Promise<string> => {
  const thrown: unknown = await openSafetensors(source).then(() => null, error => error)
  expect(thrown).toBeInstanceOf(AppError)
  expect((thrown as AppError).code).toBe('model-unreadable')
  return (thrown as AppError).message
}

describe('a broken safetensors file is refused, naming file and tensor', () => {
  it.each([
    ['too short', bytesSource('w.safetensors', new Uint8Array(5)), 'w.safetensors: is no safetensors file: it has 5 bytes'],
    ['empty', bytesSource('w.safetensors', new Uint8Array(0)), 'it has 0 bytes'],
    ['an absurd header length', file({}, 0, 1n << 60n), 'header would be'],
    ['a header longer than the file', file({}, 0, 999n), 'cut short: its header should be 999 bytes'],
    ['no JSON', file('{"a":'), 'not a JSON object'],
    ['a list', file([1]), 'not a JSON object'],
    ['no UTF-8', bytesSource('w.safetensors', new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe])), 'not a JSON object'],
    ['an entry that is none', file({ x: 3 }), 'tensor "x" has a broken header entry (not an object)'],
    ['no dtype', file({ x: { shape: [1], data_offsets: [0, 4] } }), 'tensor "x" has a broken header entry (dtype)'],
    ['a negative size', file({ x: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }), '(shape.0)'],
    ['a fractional offset', file({ x: { dtype: 'F32', shape: [1], data_offsets: [0.5, 4.5] } }), '(data_offsets.0)'],
    ['an unknown dtype', file({ x: { dtype: 'Q4', shape: [1], data_offsets: [0, 4] } }), 'tensor "x" has the unknown number format Q4'],
    ['a name of Object.prototype as dtype', file({ x: { dtype: 'constructor', shape: [1], data_offsets: [0, 4] } }), 'unknown number format'],
    ['a shape that does not fit', file({ x: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } }), 'tensor "x" takes 8 bytes, but F32 [3] needs 12'],
    ['a span backwards', file({ x: { dtype: 'F32', shape: [1], data_offsets: [8, 4] } }), 'ends before it begins'],
    ['data beyond the end', file({ x: F32([100], 0) }), 'tensor "x" lies beyond the end of the file, which is cut short'],
    ['overlap', file({ x: F32([4], 0), y: F32([4], 8) }), 'tensors "x" and "y" overlap'],
    ['a name twice', file('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'), 'lists tensor "x" twice'],
    ['a size beyond counting', file({ x: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } }), 'tensor "x" takes 4 bytes'],
  ])('%s', async (_, source, text) => expect(await refusal(source)).toContain(text))

  it('any damage gives tensors or a clear error, never anything else', async () => {
    const good = new Uint8Array(readFileSync(fixturePath('peft-hf-ia3', 'adapter', 'adapter_model.safetensors'))), random = createRandom(1, 'fuzz')
    for (let i = 0; i < 1500; i++) {
      const bytes = good.slice(0, random.uniform() < 0.3 ? random.int(good.length) : good.length)
      for (let k = random.int(4); k >= 0 && bytes.length > 0; k--) bytes[random.int(Math.min(bytes.length, 700))] = random.int(256)
      const thrown: unknown = await openSafetensors(bytesSource('f', bytes)).then(async tensors => { for (const t of tensors.values()) await t.read() }).catch((error: unknown) => error)
      if (thrown !== undefined && !(thrown instanceof AppError)) throw thrown
    }
  })
  it('a shard that is missing or does not hold what the index says', async () => {
    const index = new TextEncoder().encode(JSON.stringify({ weight_map: { x: 'a.safetensors' } }))
    const other = await encodeSafetensors([{ name: 'y', dtype: 'F32', shape: [1], data: new Float32Array(1) }])
    await expect(openSharded(memoryFiles('m', new Map([['i.json', index]])), 'i.json')).rejects.toThrow('a.safetensors: is missing')
    await expect(openSharded(memoryFiles('m', new Map([['i.json', index], ['a.safetensors', other]])), 'i.json')).rejects.toThrow('tensor "x" is missing')
    await expect(openSharded(memoryFiles('m', new Map([['i.json', new Uint8Array(1)]])), 'i.json')).rejects.toThrow('no index of shards')
  })
})

describe('writing', () => {
  it('gives the bytes that the reference implementation wrote', async () => {
    for (const path of [['hf-vit', 'model', 'model.safetensors'], ['peft-timm-dora', 'adapter', 'adapter_model.safetensors']] as const) {
      const tensors = await Promise.all([...(await fixtureTensors(...path)).values()].map(async t => ({ name: t.name, dtype: 'F32' as const, shape: t.shape, data: await t.read() })))
      expect(Buffer.from(await encodeSafetensors(tensors)).equals(readFileSync(fixturePath(...path)))).toBe(true)
    }
  })
  it('is the same for any order, aligned, and reads back', async () => {
    const a = { name: 'a', dtype: 'I32' as const, shape: [2, 2], data: Int32Array.from([1, -2, 3, 2 ** 30]) }
    const b = { name: 'b', dtype: 'F16' as const, shape: [3], data: Float32Array.from([1.5, -0.25, 65504]) }
    const c = { name: 'c', dtype: 'BF16' as const, shape: [], data: Float32Array.from([-3]) }
    const bytes = await encodeSafetensors([c, b, a])
    expect(await encodeSafetensors([a, b, c])).toEqual(bytes)
    expect((8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))) % 8).toBe(0)
    const read = await openSafetensors(bytesSource('x', bytes))
    expect(await read.get('a')!.readInt32()).toEqual(a.data)
    expect(await read.get('b')!.read()).toEqual(b.data)
    expect(await read.get('b')!.read([1, 3])).toEqual(b.data.slice(1))
    expect(await read.get('c')!.read()).toEqual(c.data)
    await expect(read.get('b')!.readInt32()).rejects.toThrow('should hold integers')
  })
  it('streams, and takes tensors when their turn comes', async () => {
    const out = safetensorsFile('m', [{ name: 'x', dtype: 'F32', shape: [2], data: async () => Float32Array.from([1, 2]) }], {})
    expect((await openSafetensors(bytesSource('m', await collect(out)))).get('x')!.bytes).toBe(8)
    await expect(collect(safetensorsFile('m', [{ name: 'x', dtype: 'F32', shape: [3], data: new Float32Array(2) }]))).rejects.toThrow('2 numbers')
  })
})

describe('half formats', () => {
  const raw16 = (h: number) => new Uint8Array(Uint16Array.of(h).buffer)
  it('every float16 and bfloat16 survives the way there and back', () => {
    for (let h = 0; h < 65536; h++) {
      for (const [dtype, round] of [['F16', toFloat16], ['BF16', toBfloat16]] as const) {
        const value = toFloat32(raw16(h), dtype)![0]!
        if (Number.isNaN(value)) expect(Number.isNaN(toFloat32(raw16(round(value)), dtype)![0]!)).toBe(true)
        else if (round(value) !== h) expect([dtype, h, round(value)]).toEqual([dtype, h, h])
      }
    }
  })
  it('rounds to the nearest, ties to even', () => {
    expect(toFloat32(raw16(toFloat16(1 + 2 ** -11)), 'F16')![0]).toBe(1)
    expect(toFloat32(raw16(toFloat16(1 + 3 * 2 ** -11)), 'F16')![0]).toBe(1 + 2 ** -9)
    expect(toFloat32(raw16(toFloat16(65519)), 'F16')![0]).toBe(65504)
    expect(toFloat32(raw16(toFloat16(65520)), 'F16')![0]).toBe(Infinity)
    expect(toFloat32(raw16(toFloat16(2 ** -25)), 'F16')![0]).toBe(0)
    expect(toFloat32(raw16(toFloat16(-(2 ** -24))), 'F16')![0]).toBe(-(2 ** -24))
    expect(toFloat32(raw16(toBfloat16(1 + 2 ** -8)), 'BF16')![0]).toBe(1)
    expect(toFloat32(raw16(toBfloat16(1 + 3 * 2 ** -8)), 'BF16')![0]).toBe(1 + 2 ** -6)
    expect(toFloat32(raw16(toBfloat16(3.4e38)), 'BF16')![0]).toBe(Infinity)
  })
  it('are PyTorch\'s', async () => {
    const plain = await fixtureTensors('timm-vit-cls', 'model', 'model.safetensors')
    for (const [name, dtype, round] of [['storage-f16', 'F16', toFloat16], ['storage-bf16', 'BF16', toBfloat16]] as const) {
      const half = await fixtureTensors(name, 'model', 'model.safetensors')
      for (const [key, tensor] of plain) {
        const rounded = Float32Array.from(await tensor.read(), x => toFloat32(raw16(round(x)), dtype)![0]!)
        expect(await half.get(key)!.read()).toEqual(rounded)
      }
    }
  })
})

it('reads integers of all widths', async () => {
  const io = await fixtureFiles('hf-vit')
  const labels = (await openSafetensors(io.open('io.safetensors'))).get('labels')!
  expect(labels.dtype).toBe('I64')
  expect([...await labels.readInt32()]).toEqual([...await labels.read()])
})
