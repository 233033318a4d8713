import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { createRig, logitsOf, plainPixels, relative, shaken } from '../support/rig'
import { randomPixels, tinyShape } from '../support/tinyVit'
import { sites as vitSites } from '../../src/main/engine/backbones/vit'
import { methods } from '../../src/main/engine/methods/index'
import { initialBuffers, run, viewsOf } from '../../src/main/engine/model'
import { createNet, evaluation, type Pass } from '../../src/main/engine/net'
import { crossEntropy } from '../../src/main/engine/nn/ops'
import { parseMethod } from '../../src/main/engine/recipe'
import { gainPenalty, poolGain, resizeVector } from '../../src/main/engine/san/gains'
import { count, matrixTensors, type Site } from '../../src/main/engine/sites'
import { valueAndGradients } from '../../src/main/engine/step/backward'
import { modelInput } from '../../src/main/engine/step/compute'
import { tf, type Tensor } from '../../src/main/engine/tf'
import { createTuning } from '../../src/main/engine/tuning'

const images = 3, pixels = randomPixels(images, tinyShape.imageSize)
const random = (shape: number[], seed: number, mean = 0, std = 1): Tensor => tf.randomNormal(shape, mean, std, 'float32', seed)
const numbers = (t: Tensor): Float32Array => t.dataSync() as Float32Array

/** Two linear layers whose only edge goes from the first to the second. */
function toy(san: Record<string, unknown> | null) {
  const linear = (name: string, role: 'up' | 'down', inn: number, out: number, feeds: Site['feeds']): Site =>
    ({ name, kind: 'linear', role, depth: 0, in: inn, out, tensors: matrixTensors(out, inn, true), feeds })
  const sites = [linear('first', 'up', 5, 4, [{ to: 'second', via: 'pointwise', exact: true }]), linear('second', 'down', 4, 3, [])]
  const settings = parseMethod({ type: 'ssf', san })
  const tuning = createTuning(sites, settings.method, settings.config, settings.san)
  const frozen = new Map<string, Tensor>([['first.weight', random([4, 5], 1)], ['first.bias', random([4], 2)], ['second.weight', random([3, 4], 3)], ['second.bias', random([3], 4)]])
  return { sites, tuning, frozen }
}
const pass = (values: Pass['values'], training = false): Pass => ({ ...evaluation(1, values, new Map()), training })

describe('section 1.7 of the method notes', () => {
  it.each(methods.filter(m => !('never' in m.san)).flatMap(m => ['paper-locational', 'paper-functional', 'random'].map(preset => [m.id, preset])))(
    '1. gains of one leave %s as it is (%s)', async (type, preset) => {
      const [off, on] = await Promise.all([createRig({ type }), createRig({ type, san: { preset } })])
      expect(relative(logitsOf(on, on.start, pixels, images), logitsOf(off, off.start, pixels, images))).toBeLessThan(1e-6)
    })

  it('3. a scaled layer before a propagated one gives W2 diag(g²) W1 x, and with shifts both terms of equation 12', () => tf.tidy(() => {
    const { sites, tuning, frozen } = toy({})
    const g = random([4], 5, 1, 0.3), shift = random([4], 6), x = random([7, 5], 7)
    const values = new Map<string, Tensor>([['first.ssf_scale', g], ['first.ssf_shift', shift], ['second.ssf_scale', tf.ones([3])], ['second.ssf_shift', tf.zeros([3])]])
    const net = createNet(frozen, tuning, sites, pass(values))
    const y = net.linear('second', net.linear('first', x))
    const first = tf.add(tf.matMul(x as never, frozen.get('first.weight') as never, false, true), frozen.get('first.bias')!)
    const inner = tf.add(tf.mul(tf.square(g), first), tf.mul(g, shift))
    const want = tf.add(tf.matMul(inner as never, frozen.get('second.weight') as never, false, true), frozen.get('second.bias')!)
    expect(relative(numbers(y), numbers(want))).toBeLessThan(1e-5)
  }))

  it('4. the gradient of a gain is the sum over its two paths, and SSF\'s own without the propagated one', () => tf.tidy(() => {
    const gradient = (san: Record<string, unknown> | null, at: Tensor): Float32Array => {
      const { sites, tuning, frozen } = toy(san)
      const loss = (g: Tensor): Tensor => {
        const values = new Map<string, Tensor>([['first.ssf_scale', g], ['first.ssf_shift', tf.zeros([4])], ['second.ssf_scale', tf.ones([3])], ['second.ssf_shift', tf.zeros([3])]])
        const net = createNet(frozen, tuning, sites, pass(values, true))
        return tf.sum(tf.square(net.linear('second', net.linear('first', random([7, 5], 7)))))
      }
      return numbers(tf.grad(loss as never)(at as never))
    }
    const ones = tf.ones([4])
    const own = gradient(null, ones), both = gradient({}, ones), detached = gradient({ detach: true }, ones)
    expect(relative(detached, own)).toBeLessThan(1e-5)
    // with f = (g · g) each path contributes the same at g = 1 where there is no shift
    expect(relative(both, own.map(x => 2 * x))).toBeLessThan(1e-5)
    const small = 1e-2, g = tf.add(ones, random([4], 9, 0, 0.1))
    const analytic = gradient({}, g), { sites, tuning, frozen } = toy({})
    const f = (at: Tensor): number => {
      const values = new Map<string, Tensor>([['first.ssf_scale', at], ['first.ssf_shift', tf.zeros([4])], ['second.ssf_scale', tf.ones([3])], ['second.ssf_shift', tf.zeros([3])]])
      const net = createNet(frozen, tuning, sites, pass(values, true))
      return numbers(tf.sum(tf.square(net.linear('second', net.linear('first', random([7, 5], 7))))))[0]!
    }
    const numeric = [0, 1, 2, 3].map(i => {
      const e = tf.mul(tf.oneHot(tf.scalar(i, 'int32') as never, 4), small).reshape([4])
      return (f(tf.add(g, e)) - f(tf.sub(g, e))) / (2 * small)
    })
    expect(relative(numeric, analytic)).toBeLessThan(5e-3)
  }))

  it('5. the penalty is 0 at the start and its gradient is 2 λ (γ - 1)', () => tf.tidy(() => {
    expect(numbers(gainPenalty([tf.ones([6]), tf.ones([3])]))[0]).toBe(0)
    const g = random([6], 3, 1, 0.2)
    const gradient = tf.grad(((t: Tensor) => tf.mul(gainPenalty([t]), 0.01)) as never)(g as never) as Tensor
    expect(relative(numbers(gradient), numbers(tf.mul(tf.sub(g, 1), 0.02)))).toBeLessThan(1e-5)
  }))

  it('5b. the penalty reaches the loss of a training pass', async () => {
    const rig = await createRig({ type: 'ssf', san: { lambda: 0.01 } })
    const values = shaken(rig.start)
    tf.tidy(() => {
      const views = viewsOf(tf.tensor1d(values), rig.tuning.slots)
      const { net } = run(rig.model, rig.tuning, { ...evaluation(4, views, new Map()), training: true }, modelInput(pixels, images, 16, plainPixels))
      const gains = [...rig.tuning.san!.gains.keys()].map(site => views.get(`${site}.ssf_scale`)!)
      expect(numbers(net.propagator!.penalty()!)[0]).toBeCloseTo(0.01 * numbers(gainPenalty(gains))[0]!, 5)
    })
  })

  it.each(['energy', 'median', 'clampedMean', 'mean'] as const)('5c. gradients flow through the %s pool to both outputs, and are its slopes', pool => tf.tidy(() => {
    const y = random([2, 3, 4], 11, 2, 0.3), d = random([2, 3, 4], 12, 0, 0.3), weights = random([4], 13)
    const value = (a: Tensor, b: Tensor): Tensor => tf.sum(tf.mul(poolGain(pool, a, b, false), weights))
    const { gradients } = valueAndGradients(() => value(tf.mul(y, 1), tf.mul(d, 1)), [y, d])
    for (const [i, x] of [y, d].entries()) {
      const towards = random([2, 3, 4], 14 + i), step = tf.mul(towards, 2e-3)
      const at = (moved: Tensor) => numbers(i === 0 ? value(moved, d) : value(y, moved))[0]!
      const slope = (at(tf.add(x, step)) - at(tf.sub(x, step))) / 4e-3
      expect(numbers(tf.sum(tf.mul(gradients[i]!, towards)))[0]).toBeCloseTo(slope, 2)
    }
  }))

  it('6. the energy pool finds the scale of an SSF layer without shift, and exactly 1 where nothing was changed', () => tf.tidy(() => {
    const y = random([2, 9, 6], 11), g = random([6], 12, 1, 0.3)
    const pooled = poolGain('energy', y, tf.sub(tf.mul(y, g), y), false)
    expect(relative(numbers(pooled), numbers(g))).toBeLessThan(1e-5)
    for (const pool of ['energy', 'median', 'clampedMean', 'mean'] as const) {
      expect([...numbers(poolGain(pool, y, tf.zerosLike(y), false))]).toEqual([1, 1, 1, 1, 1, 1])
      expect(relative(numbers(poolGain(pool, y, tf.sub(tf.mul(y, g), y), false)), numbers(g)), pool).toBeLessThan(1e-3)
      expect(poolGain(pool, y, y, true).shape, pool).toEqual([2, 1, 6])
    }
  }))

  it('6b. LoRA\'s measured gains are exactly 1 at the start and follow the change after it', async () => {
    const rig = await createRig({ type: 'lora', san: {} })
    const measured = (values: Float32Array) => tf.tidy(() => {
      const views = viewsOf(tf.tensor1d(values), rig.tuning.slots)
      const { net } = run(rig.model, rig.tuning, { ...evaluation(4, views, initialBuffers(rig.tuning)), training: true }, modelInput(pixels, images, 16, plainPixels))
      return [...net.propagator!.measured().values()].flatMap(g => [...numbers(g)])
    })
    expect(measured(rig.start).every(x => x === 1)).toBe(true)
    expect(measured(shaken(rig.start)).some(x => Math.abs(x - 1) > 1e-3)).toBe(true)
  })

  it('7. switching SAN on adds nothing to train, whatever the method and preset of the paper', () => {
    const sites = vitSites(tinyShape)
    for (const method of methods.filter(m => !('never' in m.san))) {
      const countOf = (san: Record<string, unknown> | null) => {
        const s = parseMethod({ type: method.id, san })
        return createTuning(sites, s.method, s.config, s.san).slots.reduce((n, slot) => n + count(slot.shape), 0)
      }
      for (const preset of ['paper-locational', 'paper-functional', 'random', 'official-2024-base']) expect(countOf({ preset }), method.id).toBe(countOf(null))
    }
  })

  it('8. scaling value rows equals scaling the output projection\'s columns, and a gated up equals down\'s columns', async () => {
    const shape = { ...tinyShape, gatedMlp: true }
    const rig = await createRig({ type: 'linear-probe' }, shape)
    const g = tf.tidy(() => numbers(random([shape.width], 5, 1, 0.3))), h = tf.tidy(() => numbers(random([shape.mlp], 6, 1, 0.3)))
    const scaled = (name: string, scale: Float32Array, rows: boolean): Map<string, Tensor> => {
      const at = (k: string) => rig.model.frozen.get(`${name}.${k}`)!
      const weight = tf.mul(at('weight'), rows ? tf.tensor1d(scale).expandDims(1) : tf.tensor1d(scale))
      const changed: [string, Tensor][] = [[`${name}.weight`, weight], ...(rows ? [[`${name}.bias`, tf.mul(at('bias'), tf.tensor1d(scale))] as [string, Tensor]] : [])]
      return new Map([...rig.model.frozen, ...changed])
    }
    const logits = (frozen: ReadonlyMap<string, Tensor>) => tf.tidy(() => {
      const views = viewsOf(tf.tensor1d(rig.start), rig.tuning.slots)
      return numbers(run({ ...rig.model, frozen }, null, evaluation(4, views, new Map()), modelInput(pixels, images, 16, plainPixels)).output)
    })
    for (let i = 0; i < shape.depth; i++) {
      expect(relative(logits(scaled(`blocks.${i}.v`, g, true)), logits(scaled(`blocks.${i}.proj`, g, false)))).toBeLessThan(1e-5)
      expect(relative(logits(scaled(`blocks.${i}.fc1`, h, true)), logits(scaled(`blocks.${i}.fc2`, h, false)))).toBeLessThan(1e-5)
    }
  })
})

describe('topologies', () => {
  const paths = (method: Record<string, unknown> & { type: string }, san: Record<string, unknown>) => {
    const s = parseMethod({ ...method, san })
    return createTuning(vitSites(tinyShape), s.method, s.config, s.san).san!.propagations.map(p => `${p.from.join('+')} -> ${p.to} ${p.axis}`)
  }
  it('C sends v into proj, proj into fc1 and fc1 into fc2 of the same block', () => {
    expect(paths({ type: 'ssf' }, {})).toEqual([0, 1].flatMap(i => [['v', 'proj'], ['proj', 'fc1'], ['fc1', 'fc2']].map(([a, b]) => `blocks.${i}.${a} -> blocks.${i}.${b} input`)))
  })
  it('D sends each projection into the rows of the same one of the next block', () => {
    expect(paths({ type: 'lora', roles: ['q', 'v', 'up', 'down'] }, { preset: 'paper-functional' }))
      .toEqual(['q', 'v', 'fc1', 'fc2'].map(n => `blocks.0.${n} -> blocks.1.${n} output`))
  })
  it('A feeds every q, k, v from the patch embedding and leaves proj alone', () => {
    const found = paths({ type: 'ssf', shift: false, norms: 'tune' }, { preset: 'official-2024-base' })
    expect(found.filter(p => p.startsWith('patch_embed')).length).toBe(3 * tinyShape.depth)
    expect(found.some(p => p.includes('-> blocks.0.proj'))).toBe(false)
  })
  it('B resizes q, k and v together into proj, and has the code\'s extra vectors', () => {
    const found = paths({ type: 'ssf', shift: false, norms: 'tune' }, { preset: 'official-2024-resize' })
    expect(found).toContain('blocks.0.q+blocks.0.k+blocks.0.v -> blocks.0.proj input')
  })
  it('counts as the 2024 code does on ViT-B: 83,712 scales, 38,400 in norms, 64,512 extra', () => {
    const vitB = { ...tinyShape, imageSize: 224, patch: 16, width: 768, depth: 12, heads: 12, mlp: 3072, positionGrid: 14, layerScale: false, classes: 0 }
    const total = (preset: string) => {
      const s = parseMethod({ type: 'ssf', shift: false, norms: 'tune', san: { preset } })
      return createTuning(vitSites(vitB), s.method, s.config, s.san).slots.reduce((n, slot) => n + count(slot.shape), 0)
    }
    expect(total('official-2024-base')).toBe(83_712 + 38_400)
    expect(total('official-2024-resize')).toBe(83_712 + 38_400 + 64_512)
  })
  it('E draws the same later targets for the same seed, and others for another', () => {
    const [a, b, c] = [4, 4, 5].map(seed => paths({ type: 'ssf' }, { preset: 'random', seed }))
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
    const order = vitSites(tinyShape).map(s => s.name)
    for (const p of a!) {
      const [from, to] = p.split(' -> ').map(x => order.indexOf(x.split(' ')[0]!))
      expect(to).toBeGreaterThan(from!)
    }
  })
  it('resizes a vector as 1-D linear interpolation with aligned corners', () => tf.tidy(() => {
    expect([...numbers(resizeVector(tf.tensor1d([0, 1, 2, 3, 4]), 3))]).toEqual([0, 2, 4])
    expect([...numbers(resizeVector(tf.tensor1d([0, 3]), 4))].map(x => Math.round(x * 1e5) / 1e5)).toEqual([0, 1, 2, 3])
  }))
})

describe('averages and gradients', () => {
  it('keeps a running average of measured gains for evaluation', async () => {
    const rig = await createRig({ type: 'lora', san: { emaDecay: 0.5 } })
    const step = rig.step({ learningRate: 0.01 })
    const labels = Int32Array.from([1, 2, 3])
    for (let i = 0; i < 3; i++) await step.train([{ pixels, labels, indices: labels }], i, 0.01)
    const { buffers } = await step.state()
    expect([...buffers.values()].some(b => b.some(x => Math.abs(x - 1) > 1e-4))).toBe(true)
    step.dispose()
  })
  it('lets gradients flow through a measured gain unless it is detached', async () => {
    const gradient = async (detach: boolean) => {
      const rig = await createRig({ type: 'lora', san: { detach } })
      const values = shaken(rig.start)
      return tf.tidy(() => numbers(tf.grad(((flat: Tensor) => {
        const p = { ...evaluation(4, viewsOf(flat, rig.tuning.slots), initialBuffers(rig.tuning)), training: true }
        return crossEntropy(run(rig.model, rig.tuning, p, modelInput(pixels, images, 16, plainPixels)).output, tf.tensor1d([1, 4, 7], 'int32'))
      }) as never)(tf.tensor1d(values) as never) as Tensor))
    }
    const [flowing, cut] = [await gradient(false), await gradient(true)]
    expect(relative(flowing, cut)).toBeGreaterThan(1e-4)
  })
  it('scales each sample by its own gain when asked, and then refuses to merge', async () => {
    const rig = await createRig({ type: 'lora', san: { scope: 'sample' } })
    const values = shaken(rig.start), size = tinyShape.imageSize ** 2 * 3
    const together = logitsOf(rig, values, pixels, images)
    const alone = [0, 1, 2].flatMap(i => [...logitsOf(rig, values, pixels.subarray(i * size, (i + 1) * size), 1)])
    expect(relative(together, alone)).toBeLessThan(1e-5)
    const { mergedTensors } = await import('../../src/main/engine/merge')
    await expect(mergedTensors(rig.model, rig.tuning, values, initialBuffers(rig.tuning))).rejects.toMatchObject({ code: 'not-mergeable' })
  })
})
