import { readFileSync } from 'node:fs'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/main/contract/errors'
import { createRandom } from '../../../src/main/engine/data/random'
import { bytesSource, memoryFiles } from '../../../src/main/engine/io/bytes'
import { openModel } from '../../../src/main/engine/io/model'
import { openNpz } from '../../../src/main/engine/io/npz'
import { fixturePath } from './fixtures'

function npy(descr: string, shape: string, data: ArrayBufferView, fortran = false): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }`.padEnd(117) + '\n'
  const bytes = new Uint8Array(10 + header.length + data.byteLength)
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8])
  bytes.set(new TextEncoder().encode(header), 10)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length)
  return bytes
}
const open = (files: Record<string, Uint8Array>, level: 0 | 6 = 6) => openNpz(bytesSource('w.npz', zipSync(files, { level })))

describe('npz', () => {
  it.each([0, 6] as const)('reads stored and deflated arrays, formats and orders (level %d)', async level => {
    const found = await open({
      'a/b.npy': npy('<f4', '(2, 3)', Float32Array.from([1, 2, 3, 4, 5, 6])), 'f.npy': npy('<f4', '(2, 3)', Float32Array.from([1, 4, 2, 5, 3, 6]), true),
      'd.npy': npy('<f8', '(2,)', Float64Array.from([0.5, -1])), 'h.npy': npy('<f2', '()', Uint16Array.of(0x3c00)), 'i.npy': npy('<i8', '(1,)', BigInt64Array.of(7n)),
      'cube.npy': npy('<f4', '(2, 2, 2)', Float32Array.from([0, 4, 2, 6, 1, 5, 3, 7]), true),
    }, level)
    expect([...await found.get('a/b')!.read()]).toEqual([1, 2, 3, 4, 5, 6])
    expect([...await found.get('f')!.read()]).toEqual([1, 2, 3, 4, 5, 6])
    expect([...await found.get('cube')!.read()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect([...await found.get('d')!.read()]).toEqual([0.5, -1])
    expect([...await found.get('h')!.read()]).toEqual([1])
    expect([...await found.get('i')!.readInt32()]).toEqual([7])
    expect(found.get('a/b')!.shape).toEqual([2, 3])
  })
  it('refuses what it cannot read, by name', async () => {
    await expect(openNpz(bytesSource('w.npz', new Uint8Array(50)))).rejects.toThrow('w.npz: is no zip archive')
    await expect(open({ 'x.txt': new Uint8Array(3) })).rejects.toThrow('holds no arrays')
    await expect(open({ 'x.npy': new Uint8Array(30) })).rejects.toThrow('array "x" is not in the .npy format')
    await expect(open({ 'x.npy': npy('>f4', '(1,)', new Float32Array(1)) })).rejects.toThrow('number format >f4')
    await expect(open({ 'x.npy': npy('<f4', '(3,)', new Float32Array(1)) })).rejects.toThrow('needs 12')
    await expect(open({ 'x.npy': npy('|O', '(1,)', new Float32Array(1)) })).rejects.toThrow('"x"')
    const arrays = zipSync({ 'x.npy': npy('<f4', '(1,)', new Float32Array(1)) })
    await expect(openModel(memoryFiles('w.npz', new Map([['w.npz', arrays]])))).rejects.toMatchObject({ code: 'model-unsupported' })
  })
  it('any damage gives arrays or a clear error', async () => {
    const good = new Uint8Array(readFileSync(fixturePath('storage-npz', 'weights.npz'))), random = createRandom(2, 'fuzz')
    const small = zipSync({ 'a.npy': npy('<f4', '(2, 3)', new Float32Array(6)), 'b.npy': npy('<f4', '(2,)', new Float32Array(2)) })
    for (let i = 0; i < 600; i++) {
      const base = i % 20 === 0 ? good : small, bytes = base.slice(0, random.uniform() < 0.2 ? random.int(base.length) : base.length)
      for (let k = random.int(4); k >= 0 && bytes.length > 0; k--) bytes[random.int(bytes.length)] = random.int(256)
      const thrown: unknown = await openNpz(bytesSource('f', bytes)).then(async all => { for (const t of all.values()) await t.read() }).catch((error: unknown) => error)
      if (thrown !== undefined && !(thrown instanceof AppError)) throw thrown
    }
  })
})
