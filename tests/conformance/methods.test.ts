import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createRig, logitsOf, plainPixels, relative, shaken } from '../support/rig'
import { randomPixels, randomWeights, reader, tinyShape } from '../support/tinyVit'
import { loadModel, plainForward, run, viewsOf } from '../../src/main/engine/model'
import { createNet, evaluation } from '../../src/main/engine/net'
import { addBias } from '../../src/main/engine/methods/rows'
import { methods } from '../../src/main/engine/methods/index'
import { planRecipe } from '../../src/main/engine/plan'
import { count } from '../../src/main/engine/sites'
import { modelInput } from '../../src/main/engine/step/compute'
import { tf } from '../../src/main/engine/tf'
import { initialBuffers } from '../../src/main/engine/model'
import { crossEntropy } from '../../src/main/engine/nn/ops'
import { trainableCount } from '../../src/main/engine/tuning'
import { methodCatalog } from '../../src/main/engine/catalog'
import { mergedTensors } from '../../src/main/engine/merge'

const images = 3, pixels = randomPixels(images, tinyShape.imageSize), labels = Int32Array.from([1, 4, 7])
const variants: { name: string; method: Record<string, unknown> & { type: string } }[] = [
  ...methods.map(m => ({ name: m.id, method: { type: m.id } })),
  ...methods.filter(m => !('never' in m.san)).flatMap(m => ['paper-locational', 'paper-functional'].map(preset =>
    ({ name: `${m.id} + SAN ${preset}`, method: { type: m.id, san: { preset } } }))),
  { name: 'ssf without shift, norms tuned + SAN official', method: { type: 'ssf', shift: false, norms: 'tune', san: { preset: 'official-2024-resize' } } },
  { name: 'lora rsLoRA on q, v', method: { type: 'lora', rank: 3, alpha: 5, rsLora: true, roles: ['q', 'v'] } },
  { name: 'lora + SAN weight', method: { type: 'lora', san: { gamma: 'weight' } } },
  { name: 'dora + SAN ema', method: { type: 'dora', san: { gamma: 'ema', preset: 'paper-functional' } } },
  { name: 'lora + SAN magnitude', method: { type: 'lora', san: { gamma: 'magnitude' } } },
  { name: 'lora + SAN random', method: { type: 'lora', san: { preset: 'random', seed: 4 } } },
]

async function base(): Promise<Float32Array> {
  const model = await loadModel(tinyShape, reader(randomWeights(tinyShape)))
  const out = tf.tidy(() => plainForward(model, modelInput(pixels, images, tinyShape.imageSize, plainPixels)).dataSync() as Float32Array)
  model.dispose()
  return out
}
/** Trained values with the pretrained head in them, so that outputs can be compared with the base. */
async function withBaseHead(rig: Awaited<ReturnType<typeof createRig>>, values: Float32Array): Promise<Float32Array> {
  const read = reader(randomWeights(tinyShape)), out = values.slice()
  let at = 0
  for (const slot of rig.tuning.slots) {
    if (slot.kind === 'head') out.set(await read(slot.name), at)
    at += count(slot.shape)
  }
  return out
}

describe.each(variants)('$name', ({ method }) => {
  it('is the pretrained function at the start', async () => {
    const rig = await createRig(method)
    const live = logitsOf(rig, await withBaseHead(rig, rig.start), pixels, images)
    expect(relative(live, await base())).toBeLessThan(1e-4)
    rig.dispose()
  })

  it('plans what it trains', async () => {
    const rig = await createRig(method)
    const plan = planRecipe({ backbone: { from: 'x' }, data: { from: 'y' }, method }, { shape: tinyShape, classes: 10, trainImages: 100 })
    expect(plan.notices.filter(n => n.level === 'error')).toEqual([])
    expect(plan.trainable.total).toBe(rig.start.length)
    expect(plan.trainable.total).toBe(trainableCount(rig.tuning))
    expect(plan.trainable.sites.flatMap(s => s.tensors).reduce((n, t) => n + t.count, 0)).toBe(rig.start.length)
    expect(plan.trainable.head + plan.trainable.method).toBe(plan.trainable.total)
    rig.dispose()
  })

  it('gives every trained tensor a gradient', async () => {
    const rig = await createRig(method)
    const values = shaken(rig.start)
    const gradient = tf.tidy(() => tf.grad(((flat: never) => {
      const pass = { ...evaluation(tinyShape.heads, viewsOf(flat, rig.tuning.slots), initialBuffers(rig.tuning)), training: true }
      return crossEntropy(run(rig.model, rig.tuning, pass, modelInput(pixels, images, tinyShape.imageSize, plainPixels)).output, tf.tensor1d(labels, 'int32'))
    }) as never)(tf.tensor1d(values)).dataSync() as Float32Array)
    let at = 0
    for (const slot of rig.tuning.slots) {
      const part = gradient.subarray(at, at += count(slot.shape))
      // a key's shift moves every score of a query alike, so the softmax takes its gradient away
      const silent = /\.k$/.test(slot.site) && ['bias', 'ssf_shift'].includes(slot.tensor)
      expect(part.every(Number.isFinite), slot.name).toBe(true)
      if (!silent) expect(Math.max(...part.map(Math.abs)), slot.name).toBeGreaterThan(1e-9)
    }
    rig.dispose()
  })

  it('merges to the function it computes live', async () => {
    const rig = await createRig(method)
    const values = shaken(rig.start), buffers = initialBuffers(rig.tuning)
    for (const [name, old] of buffers) buffers.set(name, tf.tidy(() => tf.add(old, tf.randomNormal(old.shape, 0, 0.05, 'float32', 5))))
    const live = logitsOf(rig, values, pixels, images, buffers)
    const merged = await mergedTensors(rig.model, rig.tuning, values, buffers)
    const shape = merged.shape
    const plain = await loadModel(shape, async name => merged.tensors.get(name) ?? (await reader(randomWeights(tinyShape))(name)))
    const out = tf.tidy(() => plainForward(plain, modelInput(pixels, images, shape.imageSize, plainPixels)).dataSync() as Float32Array)
    expect(relative(out, live)).toBeLessThan(1e-5)
    expect(relative(out, await base())).toBeGreaterThan(1e-3)
    plain.dispose()
    rig.dispose()
  })

  it('computes on activations what it says of weights', async () => {
    const rig = await createRig(method)
    const values = shaken(rig.start)
    const worst = tf.tidy(() => {
      const net = createNet(rig.model.frozen, rig.tuning, rig.model.sites, evaluation(tinyShape.heads, viewsOf(tf.tensor1d(values), rig.tuning.slots), initialBuffers(rig.tuning)))
      const linear = rig.model.sites.filter(s => s.kind === 'linear')
      return Math.max(...linear.map(site => {
        const x = tf.randomNormal([5, site.in], 0, 1, 'float32', 9), columnsOf = (name: string) => net.propagator!.into(name).columns!
        const { weight, bias } = net.merged(site.name)
        const live = net.linear(site.name, net.prescaled.has(site.name) ? tf.mul(x, columnsOf(site.name)) : x)
        const dense = addBias(tf.matMul(x, weight as never, false, true), bias)
        const ahead = site.feeds.find(edge => net.prescaled.has(edge.to))
        return relative((ahead ? tf.mul(dense, columnsOf(ahead.to)) : dense).dataSync(), live.dataSync())
      }))
    })
    expect(worst).toBeLessThan(1e-5)
    rig.dispose()
  })

  it('changes nothing but its own tensors, leaks none, and goes on from a saved state', async () => {
    const rig = await createRig(method)
    const train = { learningRate: 1e-3, dropPath: 0.1, dropout: 0.1, labelSmoothing: 0.1, clipNorm: 1 }
    const batch = { pixels, labels, indices: labels }
    const step = rig.step(train)
    await step.train([batch], 0, 1e-3)
    const tensors = tf.memory().numTensors
    for (let i = 1; i < 4; i++) await step.train([batch, batch], i, 1e-3)
    expect(tf.memory().numTensors).toBe(tensors)
    const saved = await step.state()
    await step.train([batch], 4, 1e-3)
    const straight = await step.state(), logits = await step.predict(pixels, images)
    const other = rig.step(train)
    other.restore(saved)
    await other.train([batch], 4, 1e-3)
    const resumed = await other.state()
    expect(relative(resumed.values, straight.values)).toBeLessThan(1e-6)
    expect(relative(resumed.m, straight.m)).toBeLessThan(1e-5)
    expect(relative(await other.predict(pixels, images), logits)).toBeLessThan(1e-5)
    expect(saved.values).not.toEqual(straight.values)
    step.dispose()
    other.dispose()
    rig.dispose()
  })
})

describe('the registry', () => {
  it('lists every file once and documents it', () => {
    const cards = methodCatalog().methods
    const files = readdirSync(new URL('../../src/main/engine/methods', import.meta.url)).map(f => f.replace('.ts', ''))
    const shared = ['index', 'define', 'roles', 'rows']
    const listed = methods.map(m => m.id.replace(/-(\w)/g, (_, c: string) => c.toUpperCase()))
    expect(files.filter(f => !shared.includes(f)).sort()).toEqual(listed.sort())
    expect(new Set(cards.map(c => c.id)).size).toBe(cards.length)
    for (const card of cards) for (const text of [card.title, card.summary, card.formula, card.advice]) expect(text.length, card.id).toBeGreaterThan(2)
  })
  it('leaves the trainable count alone when SAN is switched on', async () => {
    for (const method of methods.filter(m => !('never' in m.san))) {
      const [off, on] = await Promise.all([createRig({ type: method.id }), createRig({ type: method.id, san: {} })])
      expect(on.start.length, method.id).toBe(off.start.length)
    }
  })
})

const otherEdges = {
  'a gated MLP': { gatedMlp: true, activation: 'silu' }, 'two heads': { distillationToken: true, distillationHead: true }, 'pooled tokens': { pool: 'mean', poolNorm: true, finalNorm: false },
} as const
const propagating = [
  { type: 'ssf', san: { headSource: true } }, { type: 'ia3', roles: ['v', 'up'], inputs: [], san: {} }, { type: 'lora', roles: ['q', 'v'], san: {} },
  { type: 'layernorm', san: {} }, { type: 'ssf', san: { projMap: 'headmean', qkvSource: 'prevFc2' } }, { type: 'ssf', san: { preset: 'random', seed: 2 } },
]
describe.each(Object.entries(otherEdges))('SAN and %s', (_, edges) => {
  it.each(propagating.map(method => [JSON.stringify(method), method] as const))('%s merges to the function it computes live', async (_, method) => {
    const shape = { ...tinyShape, ...edges, positionGrid: 4 } as typeof tinyShape, rig = await createRig(method, shape)
    const values = shaken(rig.start), merged = await mergedTensors(rig.model, rig.tuning, values, initialBuffers(rig.tuning))
    const plain = await loadModel(merged.shape, async name => merged.tensors.get(name) ?? (await reader(randomWeights(shape))(name)))
    const out = tf.tidy(() => plainForward(plain, modelInput(pixels, images, shape.imageSize, plainPixels)).dataSync() as Float32Array)
    expect(relative(out, logitsOf(rig, values, pixels, images))).toBeLessThan(1e-5)
    plain.dispose()
    rig.dispose()
  })
})
