import '../support/tensorflow'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readAdapter } from '../../src/main/engine/io/adapter'
import { openModel } from '../../src/main/engine/io/model'
import { openSafetensors } from '../../src/main/engine/io/safetensors'
import { loadModel, plainForward, run, viewsOf } from '../../src/main/engine/model'
import { evaluation } from '../../src/main/engine/net'
import { crossEntropy } from '../../src/main/engine/nn/ops'
import { full } from '../../src/main/engine/methods/full'
import { createTuning } from '../../src/main/engine/tuning'
import { tf, type Tensor } from '../../src/main/engine/tf'
import { count } from '../../src/main/engine/sites'
import { diskFiles, fileSource } from '../../src/main/store/files'
import { adaptedOutputs } from '../support/adapted'
import { relative } from '../support/rig'
import { backbones, caseOf, casesWith, fixturePath } from './io/fixtures'

const TOLERANCE = 1e-4

/** pixel_values [B, 3, H, W] as the engine takes them, [B, H, W, 3]. */
async function reference(path: string): Promise<{ pixels: Tensor; output: Float32Array; labels: Int32Array | null }> {
  const io = await openSafetensors(fileSource(path))
  const stored = io.get('pixel_values')!
  const values = await stored.read()
  const pixels = tf.tidy(() => tf.tensor4d(values, stored.shape as [number, number, number, number]).transpose([0, 2, 3, 1]))
  return { pixels, output: await (io.get('logits') ?? io.get('features'))!.read(), labels: await io.get('labels')?.readInt32() ?? null }
}

const weightsOf = (name: string) => name === 'storage-npz' ? [name, 'weights.npz'] : name === 'storage-bare' ? [name, 'weights.safetensors'] : [name, 'model']
async function opened(name: string) {
  const model = await openModel(await diskFiles(fixturePath(...weightsOf(name))), name === 'storage-bare' ? { heads: 4 } : {})
  return { model, live: await loadModel(model.shape, model.read) }
}
const iosOf = (name: string): string[] => {
  const elsewhere = caseOf(name).io
  if (typeof elsewhere === 'string') return [fixturePath(name, elsewhere)]
  return readdirSync(fixturePath(name)).filter(file => /^io.*\.safetensors$/.test(file)).map(file => fixturePath(name, file))
}

describe('the same outputs as timm and transformers', () => {
  const cases = [...backbones, 'storage-npz', 'storage-bare'].flatMap(name => iosOf(name).map(path => ({ name, path, label: `${name} ${path.split('/').at(-1)}` })))
  it.each(cases)('$label', async ({ name, path }) => {
    const { live } = await opened(name)
    const { pixels, output } = await reference(path)
    expect(relative(tf.tidy(() => plainForward(live, pixels).dataSync()), output)).toBeLessThan(TOLERANCE)
    live.dispose()
    pixels.dispose()
  })
})

describe('the same gradients as timm and transformers', () => {
  it.each(backbones.filter(name => readdirSync(fixturePath(name)).includes('grads.safetensors')))('%s', async name => {
    const { model, live } = await opened(name)
    const tuning = createTuning(model.sites, full, {}, null)
    const { pixels, labels } = await reference(iosOf(name)[0]!)
    const parts = await Promise.all(tuning.slots.map(slot => model.read(slot.name)))
    const flat = Float32Array.from(parts.flatMap(part => [...part]))
    const gradient = tf.tidy(() => tf.grad(((values: Tensor) => {
      const pass = evaluation(model.shape.heads, viewsOf(values, tuning.slots), new Map())
      return crossEntropy(run(live, tuning, pass, pixels).output, tf.tensor1d(labels!, 'int32'))
    }) as never)(tf.tensor1d(flat)).dataSync() as Float32Array)
    const stored = await openSafetensors(fileSource(fixturePath(name, 'grads.safetensors')))
    let at = 0
    for (const slot of tuning.slots) {
      const place = model.keys.places.get(slot.name)!, there = await stored.get(place.key)!.read()
      const want = place.rows ? there.subarray(place.rows[0] * there.length / place.shape[0]!, place.rows[1] * there.length / place.shape[0]!) : there
      const got = gradient.subarray(at, at += count(slot.shape))
      // a key's bias moves every score of a query alike: its gradient is rounding
      if (!/\.k\.bias$/.test(slot.name)) expect([slot.name, relative(got, want) < TOLERANCE]).toEqual([slot.name, true])
    }
    live.dispose()
    pixels.dispose()
  })
})

describe('the same outputs as PEFT', () => {
  it.each(casesWith('adapter'))('%s', async name => {
    const base = String(caseOf(name).base).replace('../', '')
    const model = await openModel(await diskFiles(fixturePath(base, 'model')))
    const adapter = await readAdapter(await diskFiles(fixturePath(name, 'adapter')), model)
    const { pixels, output } = await reference(fixturePath(name, 'io.safetensors'))
    expect(relative(await adaptedOutputs(model, adapter, pixels), output)).toBeLessThan(TOLERANCE)
    expect(adapter.unused).toEqual([])
    pixels.dispose()
  })
})
