import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { relative } from '../support/rig'
import { attention, composed } from '../../src/main/engine/nn/attention'
import { record } from '../../src/main/engine/step/graph/record'
import { tf, type Tensor } from '../../src/main/engine/tf'

type Inputs = [Tensor, Tensor, Tensor]
const normal = (shape: number[], seed: number): Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed)
const gradients = (f: (...t: Inputs) => Tensor, inputs: Inputs, dy: Tensor): Tensor[] => tf.grads((...t: Tensor[]) => tf.sum(tf.mul(f(...t as Inputs), dy)))(inputs)

// batch, tokens, width, heads: around whole vectors and whole tiles, one token, one head, and more tokens than are computed at once
const shapes = [[1, 1, 4, 1], [2, 5, 8, 2], [3, 14, 96, 3], [2, 15, 34, 2], [1, 33, 80, 5], [2, 197, 192, 3], [1, 700, 64, 1]] as const

describe('attention in one operation', () => {
  it.each(shapes)('gives what its parts give, and their gradients: %i x %i x %i, %i heads', (batch, tokens, width, heads) => {
    const [q, k, v, dy] = [1, 2, 3, 4].map(seed => normal([batch, tokens, width], seed)) as [Tensor, Tensor, Tensor, Tensor]
    expect(relative(attention(q, k, v, heads).dataSync(), composed(q, k, v, heads).dataSync())).toBeLessThan(2e-6)
    const got = gradients((...t) => attention(...t, heads), [q, k, v], dy), expected = gradients((...t) => composed(...t, heads), [q, k, v], dy)
    got.forEach((g, i) => expect(relative(g.dataSync(), expected[i]!.dataSync()), 'qkv'[i]).toBeLessThan(5e-6))
  })

  it('keeps large scores apart without overflow, and a NaN where there is one', () => {
    const [q, k, v] = [1, 2, 3].map(seed => tf.mul(normal([1, 20, 8], seed), 40)) as Inputs
    expect(relative(attention(q, k, v, 2).dataSync(), composed(q, k, v, 2).dataSync())).toBeLessThan(1e-5)
    const broken = tf.tensor3d([...q.dataSync()].map((x, i) => i === 3 ? NaN : x), [1, 20, 8])
    expect(attention(broken, k, v, 2).dataSync().slice(0, 4).every(Number.isNaN)).toBe(true)
  })

  it('is what a step writes down in this runtime', () => {
    const x = tf.zeros([2, 40, 64])
    const { nodes } = record('', [[x, 'x']], () => gradients((...t) => attention(...t, 2), [x, x, x], x))
    expect(nodes.map(n => n.op)).toEqual(expect.arrayContaining(['EngramAttention', 'EngramAttentionGradient']))
    expect(nodes.find(n => n.op === 'EngramAttentionGradient')!.outputs).toEqual([1, 2, 3].map(() => ({ dtype: 1, shape: [2, 40, 64] })))
  })
})
