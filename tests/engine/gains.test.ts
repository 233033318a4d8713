import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import type { SiteVector } from '../../src/main/contract/engram'
import { encodeGains, readDistances, readGains } from '../../src/main/engine/io/gainRecord'
import { engramMap, gainKinds, siteVectors } from '../../src/main/engine/san/record'
import { count } from '../../src/main/engine/sites'
import type { StepState } from '../../src/main/engine/step/step'
import { createRig, relative, shaken, type Rig } from '../support/rig'
import { randomPixels, randomWeights, reader, tinyShape } from '../support/tinyVit'

const weights = randomWeights(tinyShape), read = reader(weights)
const stateOf = (values: Float32Array, buffers: StepState['buffers'] = new Map()): StepState => ({ values, m: values, v: values, buffers })
const slot = (rig: Rig, values: Float32Array, name: string): Float32Array => {
  let at = 0
  for (const one of rig.tuning.slots) {
    const size = count(one.shape)
    if (one.name === name) return values.subarray(at, at + size)
    at += size
  }
  throw new Error(`no slot ${name}`)
}
const vectorsAt = (rig: Rig, state: StepState) => siteVectors(rig.tuning, tinyShape.heads, state, read)
const find = (vectors: readonly SiteVector[], of: SiteVector['of'], site: string) => vectors.find(one => one.of === of && one.site === site)?.values
const rowNorm = (weight: Float32Array, row: number, width: number) => Math.hypot(...weight.subarray(row * width, (row + 1) * width))

describe('gains from a state of training', () => {
  it('SSF: the scale is the gain, the shift the shift, and SAN brings v to proj and proj to fc1', async () => {
    const rig = await createRig({ type: 'ssf', san: {} })
    const values = shaken(rig.start), vectors = await vectorsAt(rig, stateOf(values))
    for (const site of ['patch_embed', 'blocks.0.norm1', 'blocks.1.q', 'blocks.1.fc2']) {
      expect(find(vectors, 'gain', site)).toEqual(slot(rig, values, `${site}.ssf_scale`))
      expect(find(vectors, 'shift', site)).toEqual(slot(rig, values, `${site}.ssf_shift`))
    }
    expect(find(vectors, 'columns', 'blocks.1.proj')).toEqual(slot(rig, values, 'blocks.1.v.ssf_scale'))
    expect(find(vectors, 'columns', 'blocks.1.fc1')).toEqual(slot(rig, values, 'blocks.1.proj.ssf_scale'))
    expect(find(vectors, 'columns', 'blocks.1.q')).toBeUndefined()
    rig.dispose()
  })

  it('SSF without SAN and without shift has its gains and nothing else', async () => {
    const rig = await createRig({ type: 'ssf', shift: false })
    const vectors = await vectorsAt(rig, stateOf(rig.start))
    expect(vectors.every(({ of, values }) => of === 'gain' && values.every(x => x === 1))).toBe(true)
    rig.dispose()
  })

  it('the official topology multiplies its extra vector onto the resized gain', async () => {
    const rig = await createRig({ type: 'ssf', san: { preset: 'official-2024-resize' } })
    const values = shaken(rig.start), vectors = await vectorsAt(rig, stateOf(values))
    const gain = slot(rig, values, 'blocks.0.proj.ssf_scale'), extra = slot(rig, values, 'blocks.0.fc1.san_extra')
    expect(relative(find(vectors, 'columns', 'blocks.0.fc1')!, gain.map((g, i) => g * extra[i]!))).toBeLessThan(1e-6)
    rig.dispose()
  })

  it('DoRA: magnitude over the norm of the pretrained row', async () => {
    const rig = await createRig({ type: 'dora', san: {} })
    const values = shaken(rig.start), vectors = await vectorsAt(rig, stateOf(values))
    const magnitude = slot(rig, values, 'blocks.0.fc1.magnitude'), w = weights.get('blocks.0.fc1.weight')!
    expect(relative(find(vectors, 'gain', 'blocks.0.fc1')!, magnitude.map((m, j) => m / rowNorm(w, j, 64)))).toBeLessThan(1e-5)
    rig.dispose()
  })

  it('LoRA: the running averages with SAN, else one plus the projection of the update on each pretrained row', async () => {
    const rig = await createRig({ type: 'lora', rank: 2, alpha: 4, san: {} })
    const step = rig.step()
    await step.train([{ pixels: randomPixels(4, 16), labels: Int32Array.from([0, 1, 2, 3]) } as never], 0, 1e-2)
    const state = await step.state()
    const measured = await vectorsAt(rig, state)
    expect([...gainKinds(rig.tuning).values()].every(kind => kind === 'pooled')).toBe(true)
    expect(find(measured, 'gain', 'blocks.1.v')).toEqual(state.buffers.get('blocks.1.v.san_gamma'))
    expect(find(measured, 'columns', 'blocks.1.proj')).toEqual(state.buffers.get('blocks.1.v.san_gamma'))
    expect(find(measured, 'gain', 'blocks.1.q')).toBeUndefined()
    step.dispose()
    rig.dispose()

    const plain = await createRig({ type: 'lora', rank: 2, alpha: 4 })
    const values = shaken(plain.start), gain = find(await vectorsAt(plain, stateOf(values)), 'gain', 'blocks.0.q')!
    const a = slot(plain, values, 'blocks.0.q.lora_A'), b = slot(plain, values, 'blocks.0.q.lora_B'), w = weights.get('blocks.0.q.weight')!
    const byHand = (j: number) => {
      let along = 0
      for (let i = 0; i < 64; i++) along += 2 * (b[j * 2]! * a[i]! + b[j * 2 + 1]! * a[64 + i]!) * w[j * 64 + i]!
      return 1 + along / rowNorm(w, j, 64) ** 2
    }
    expect(relative(gain, Float32Array.from(gain, (_, j) => byHand(j)))).toBeLessThan(1e-4)
    plain.dispose()
  })

  it('LayerNorm tuning and BitFit have shifts; BitFit a gain only where SAN measures one', async () => {
    const norm = await createRig({ type: 'layernorm' }), bitfit = await createRig({ type: 'bitfit' })
    const shift = find(await vectorsAt(norm, stateOf(norm.start.map(x => x + 0.5))), 'shift', 'blocks.0.norm1')!
    expect(shift.every(x => Math.abs(x - 0.5) < 1e-6)).toBe(true)
    const vectors = await vectorsAt(bitfit, stateOf(bitfit.start.map(x => x - 0.25)))
    expect(vectors.some(({ of }) => of === 'gain')).toBe(false)
    expect(find(vectors, 'shift', 'blocks.0.fc2')!.every(x => Math.abs(x + 0.25) < 1e-6)).toBe(true)
    norm.dispose()
    bitfit.dispose()
  })

  it('methods without a gain have no vectors', async () => {
    for (const type of ['linear-probe', 'full']) {
      const rig = await createRig({ type })
      expect(await vectorsAt(rig, stateOf(rig.start))).toEqual([])
      expect(engramMap(rig.tuning).sites.some(site => site.gain || site.shift)).toBe(false)
      rig.dispose()
    }
  })
})

it('a record keeps small distances from 1, and the mean of each site in their order', async () => {
  const gain = Float32Array.from([1.0001, 0.9, 1.3]), shift = Float32Array.from([0, -2, 0.001])
  const bytes = await encodeGains([{ of: 'gain', site: 'b', values: gain }, { of: 'gain', site: 'a', values: Float32Array.from([1, 1]) }, { of: 'shift', site: 'b', values: shift }])
  const source = { name: 'x', size: bytes.byteLength, read: async (at: number, length: number) => bytes.slice(at, at + length) }
  const vectors = await readGains(source)
  expect(find(vectors, 'gain', 'b')![0]! - 1).toBeCloseTo(1e-4, 6)
  expect(relative(find(vectors, 'shift', 'b')!, shift)).toBeLessThan(1e-3)
  const distances = await readDistances(source)
  expect(distances[0]).toBeCloseTo((0.0001 + 0.1 + 0.3) / 3, 6)
  expect(distances[1]).toBe(0)
})
