import '../../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { withClasses } from '../../../src/main/engine/backbones/index'
import { sites as vitSites } from '../../../src/main/engine/backbones/vit'
import { createRandom } from '../../../src/main/engine/data/random'
import { collected } from '../../../src/main/engine/io/bytes'
import { exportMerged } from '../../../src/main/engine/io/export'
import { openModel } from '../../../src/main/engine/io/model'
import type { VitShape } from '../../../src/main/contract/model'
import { mergedTensors } from '../../../src/main/engine/merge'
import { initialBuffers, initialValues, loadModel, plainForward, run, viewsOf } from '../../../src/main/engine/model'
import { evaluation } from '../../../src/main/engine/net'
import { parseMethod } from '../../../src/main/engine/recipe'
import { tf } from '../../../src/main/engine/tf'
import { createTuning } from '../../../src/main/engine/tuning'
import { relative, shaken } from '../../support/rig'
import { backbones, fixtureFiles } from './fixtures'
import { checkExport, python } from './python'

const open = async (name: string) => openModel(name === 'storage-npz' ? await fixtureFiles(name, 'weights.npz') : name === 'storage-bare'
  ? await fixtureFiles(name, 'weights.safetensors') : await fixtureFiles(name, 'model'), name === 'storage-bare' ? { heads: 4 } : {})

/** A tuned run on a fixture: live logits, and the folder that merging gives. */
async function tuned(name: string, method: string, change: Partial<VitShape> = {}) {
  const opened = await open(name), shape = withClasses({ ...opened.shape, ...change }, 7)
  const { method: chosen, config, san } = parseMethod({ type: method, san: null })
  const tuning = createTuning(vitSites(shape), chosen, config, san)
  const read = async (tensor: string) => /^head/.test(tensor) ? new Float32Array(0) : opened.read(tensor)
  const model = await loadModel(shape, read, new Set(['head.weight', 'head.bias']))
  const values = shaken(await initialValues(tuning, 5, read), 0.1)
  const random = createRandom(1, 'pixels'), side = shape.imageSize
  const pixels = tf.tensor4d(Float32Array.from({ length: 2 * side * side * 3 }, () => random.normal()), [2, side, side, 3])
  const logits = tf.tidy(() => run(model, tuning, evaluation(shape.heads, viewsOf(tf.tensor1d(values), tuning.slots), initialBuffers(tuning)), pixels).output.dataSync() as Float32Array)
  const merged = await mergedTensors(model, tuning, values, new Map())
  model.dispose()
  return { opened, shape, pixels, logits, merged, side, exported: () => exportMerged(opened, merged.shape, merged.tensors, { classes: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }) }
}

async function compare({ pixels, logits, exported, side }: Awaited<ReturnType<typeof tuned>>): Promise<void> {
  const { files } = await exported()
  const again = await openModel(await collected('export', files))
  expect(again.shape.classes).toBe(7)
  expect(again.classes).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  expect(again.shape.imageSize === side || again.format === 'transformers').toBe(true)
  const live = await loadModel(again.shape, again.read)
  expect(relative(tf.tidy(() => plainForward(live, pixels).dataSync()), logits)).toBeLessThan(1e-4)
  live.dispose()
  if (!python) return
  const io = [
    { name: 'pixel_values', dtype: 'F32' as const, shape: [2, 3, side, side], data: tf.tidy(() => pixels.transpose([0, 3, 1, 2]).dataSync() as Float32Array) },
    { name: 'logits', dtype: 'F32' as const, shape: [2, 7], data: logits },
  ]
  expect(await checkExport(files, io)).toBe('same')
}

describe('an unchanged model', () => {
  it.each(backbones)('%s: is exported with the same names, shapes and numbers', async name => {
    const opened = await open(name)
    const { files } = await exportMerged(opened, opened.shape, new Map())
    const again = await openModel(await collected('export', files))
    expect(again.shape).toEqual(opened.shape)
    expect([...again.stored.keys()].sort()).toEqual([...opened.stored.keys()].sort())
    for (const [key, tensor] of opened.stored) {
      expect([key, again.stored.get(key)!.shape]).toEqual([key, tensor.shape])
      expect(await again.stored.get(key)!.read()).toEqual(await tensor.read())
    }
  })
})

describe('a tuned model gives the live logits again', () => {
  // SSF puts a bias everywhere, also where the backbone has none
  const cases = [...backbones, 'storage-npz', 'storage-bare'].map(name => [name] as const)
  it.each(cases)('%s with SSF', async name => compare(await tuned(name, 'ssf')))
  it.each(cases)('%s with LoRA at another image size', async name => {
    const { shape } = await open(name)
    await compare(await tuned(name, 'lora', { imageSize: shape.patch * (shape.positionGrid + 2) }))
  })
  it.each([['timm-vit-cls', 'mean'], ['timm-vit-avg', 'cls'], ['timm-vit-registers', 'mean'], ['timm-vit-quickgelu', 'mean'], ['hf-dinov2', 'mean'],
    ['hf-dinov2-model', 'mean'], ['hf-dinov2-model', 'cls+mean'], ['hf-dinov2', 'cls']] as const)('%s pooled by %s', async (name, pool) => compare(await tuned(name, 'ssf', { pool })))
  it.each([['timm-vit-cls', 'cls+mean'], ['timm-deit-distilled', 'mean'], ['hf-vit', 'mean'], ['hf-deit', 'cls+mean']] as const)('%s refuses a head on %s', async (name, pool) => {
    const { exported } = await tuned(name, 'linear-probe', { pool })
    await expect(exported()).rejects.toMatchObject({ code: 'not-mergeable', hint: expect.stringContaining('pool') })
  })
})
