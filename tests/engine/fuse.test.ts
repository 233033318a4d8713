import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { relative } from '../support/rig'
import { crossEntropy, gelu, normalize } from '../../src/main/engine/nn/ops'
import { adamw } from '../../src/main/engine/optim/adamw'
import { valueAndGradients } from '../../src/main/engine/step/backward'
import { canFuse, fused } from '../../src/main/engine/step/graph/fuse'
import { record } from '../../src/main/engine/step/graph/record'
import { after, openSession, placeholder } from '../../src/main/engine/step/graph/session'
import { simplified } from '../../src/main/engine/step/graph/simplify'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'
import { tf, type Tensor } from '../../src/main/engine/tf'

const uniform = (shape: number[], seed: number, low = -2, high = 2): Tensor => tf.randomUniform(shape, low, high, 'float32', seed)
const values = [-Infinity, -90, -20, -4.5, -1.5, -1e-3, -0, 0, 1e-6, 0.3, 1, 2.7, 10, 80, 90, Infinity, NaN]

/** Results of the recorded operations one by one, and fused. */
function bothWays(inputs: Tensor[], body: (...inputs: Tensor[]) => Tensor[], least = 1) {
  const sources = inputs.map((t, i) => [t, `x${i}`] as [Tensor, string]), placeholders = inputs.map((t, i) => placeholder(`x${i}`, 'float32', t.shape))
  const { nodes, results } = record('part/', sources, () => body(...inputs))
  const whole = simplified([...placeholders, ...nodes, ...results.map((r, i) => after(`run${i}`, r, []))]), once = fused(whole, least)
  const run = (graph: typeof whole) => {
    const session = openSession(graph, withModelFolder)
    const out = session.run(Object.fromEntries(sources.map(([t, name]) => [name, t])), results.map((_, i) => `run${i}`)).map(t => [...t.dataSync()])
    session.close()
    return out
  }
  return { plain: run(whole), fused: run(once), operations: once.filter(n => n.op === 'EngramFused').length, left: once.map(n => n.op), texts: once.flatMap(n => n.attributes.program && 'text' in n.attributes.program ? [n.attributes.program.text] : []) }
}

describe('a fused run', () => {
  it('can be had in this runtime', () => expect(canFuse(withModelFolder)).toBe(true))

  it.each(['abs', 'erf', 'exp', 'floor', 'neg', 'reciprocal', 'relu', 'rsqrt', 'sigmoid', 'sqrt', 'square', 'tanh'] as const)('computes %s as TensorFlow does', name => {
    const f = (x: Tensor) => [tf.mul(tf[name](x), 1)]
    const edge = bothWays([tf.tensor1d(values)], f)
    expect(edge.operations).toBe(1)
    expect(edge.fused[0]!.map(v => v > 1e38 ? Infinity : v)).toEqual(edge.plain[0]!.map(v => v > 1e38 ? Infinity : Math.abs(v) < 1e-37 ? expect.closeTo(0, 30) : Number.isFinite(v) ? expect.closeTo(v, v > 100 ? 3 : 5) : v))
    const x = uniform([40, 300], 1, name.includes('sqrt') ? 0.01 : -8, 8), wide = bothWays([x], f)
    expect(relative(wide.fused[0]!, wide.plain[0]!)).toBeLessThan(1e-6)
  })

  const x = uniform([4, 50, 96], 1), other = uniform([4, 50, 96], 2)
  const operands: Record<string, Tensor> = {
    'a whole tensor': other, 'a row': uniform([96], 3), 'a number a row': uniform([4, 50, 1], 4), 'a row a sample': uniform([4, 1, 96], 5), 'a number a sample': uniform([4, 1, 1], 6),
    'a table of tokens': uniform([50, 96], 7), 'a number a token': uniform([50, 1], 8), 'one number': uniform([], 9), 'one number with axes': uniform([1, 1, 1], 10),
  }
  it.each(Object.entries(operands))('reads %s beside a tensor', (_, operand) => {
    const { fused: got, plain, operations } = bothWays([x, operand], (a, b) => [tf.sub(tf.mul(a, b), b), tf.div(tf.maximum(b, a), 3), tf.minimum(a, b)])
    expect(operations).toBe(1)
    got.forEach((result, i) => expect(relative(result, plain[i]!)).toBeLessThan(1e-6))
  })

  it('leaves alone what no program can read', () => {
    const { fused: got, plain } = bothWays([x, uniform([4, 1, 1, 96], 5)], (a, b) => [tf.mul(tf.add(a.reshape([4, 5, 10, 96]), b.tile([1, 1, 10, 1])), 2)])
    expect(relative(got[0]!, plain[0]!)).toBeLessThan(1e-6)
  })

  const gradients: Record<string, (x: Tensor) => Tensor> = {
    normalize: t => normalize(t, 1e-6), gelu, softmax: t => tf.softmax(t), affine: t => tf.add(tf.mul(t, operands['a row']!), operands['a row']!),
    'a chain': t => tf.mul(gelu(tf.mul(normalize(t, 1e-6), operands['a row']!)), operands['a number a sample']!),
  }
  it.each(Object.entries(gradients))('takes the gradient of %s', (_, f) => {
    const { fused: got, plain, operations } = bothWays([x, other, operands['a row']!, operands['a number a sample']!], (t, o) => {
      const { value, gradients } = valueAndGradients(() => tf.sum(tf.mul(f(t), o)), [t])
      return [value, ...gradients]
    })
    expect(operations).toBeGreaterThan(0)
    got.forEach((result, i) => expect(relative(result, plain[i]!)).toBeLessThan(2e-6))
  })

  it('computes the same once, from equal constants', () => {
    const { fused: got, plain, texts } = bothWays([x], t => [tf.mul(tf.exp(tf.mul(t, 0.5)), 3), tf.sub(tf.exp(tf.mul(t, 0.5)), 3)])
    got.forEach((result, i) => expect(relative(result, plain[i]!)).toBeLessThan(1e-6))
    expect(texts.join().match(/exp/g)).toHaveLength(1)
    expect(texts.join().match(/mul/g)).toHaveLength(2)
  })

  it('sums columns the same way each time', () => {
    const row = operands['a row']!
    const columns = () => bothWays([x, other, row], (a, b, r) => [tf.sum(tf.mul(a, b), [0, 1]), tf.mul(tf.mul(a, r), b)])
    const { fused: got, plain, left } = columns()
    expect(left).not.toContain('Sum')
    expect(relative(got[0]!, plain[0]!)).toBeLessThan(1e-6)
    for (let i = 0; i < 5; i++) expect(columns().fused).toEqual(got)
  })

  it('repeats a row by itself, and sums what is left of an axis of one', () => {
    const { fused: got, plain, left } = bothWays([uniform([1, 200, 96], 1), uniform([1, 1, 96], 2)], (t, row) => {
      const both = tf.mul(t, row.tile([1, 200, 1]))
      return [both, tf.sum(both, 1, true), tf.mul(row.tile([1, 200, 1]), row.tile([1, 200, 1]))]
    })
    expect(left).not.toContain('Sum')
    got.forEach((result, i) => expect(relative(result, plain[i]!)).toBeLessThan(1e-6))
  })

  it('sums squares without storing them', () => {
    const { fused: got, plain, left } = bothWays([uniform([50_000], 1)], v => [tf.sqrt(tf.sum(tf.square(v))), tf.mul(tf.square(v), 2)], 1000)
    expect(left).toContain('L2Loss')
    got.forEach((result, i) => expect(relative(result, plain[i]!)).toBeLessThan(1e-6))
  })

  it('takes an optimiser step in one operation', () => {
    const n = 40_000, vector = (seed: number) => uniform([n], seed, 0, 1)
    const { fused: got, plain, operations } = bothWays([1, 2, 3, 4, 5].map(vector), (w, g, m, v, d) => {
      const next = adamw(w, g, { m, v }, d, { rate: 0.1, first: 0.5, second: 0.3 }, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.05 })
      return [next.values, next.m, next.v]
    }, n)
    expect(operations).toBe(1)
    got.forEach((result, i) => expect(relative(result, plain[i]!)).toBeLessThan(1e-6))
  })

  it('keeps to the right of what it needs: a loss with small and large parts', () => {
    const labels = tf.tensor1d([0, 3, 1, 2], 'int32')
    const { fused: got, plain } = bothWays([x, uniform([96, 4], 11)], (t, w) => {
      const loss = (flat: Tensor) => crossEntropy(tf.matMul(tf.mean(gelu(normalize(flat, 1e-6)), 1) as never, w as never), labels)
      const { value, gradients } = valueAndGradients(() => loss(t), [t])
      return [value, ...gradients]
    })
    got.forEach((result, i) => expect(relative(result, plain[i]!)).toBeLessThan(2e-6))
  })
})
