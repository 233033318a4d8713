import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { FLOAT, outputOf, type GraphNode } from '../../src/main/engine/step/graph/graphDef'
import { record } from '../../src/main/engine/step/graph/record'
import { inferred } from '../../src/main/engine/step/graph/shapes'
import { tf, type Tensor } from '../../src/main/engine/tf'

const a = tf.randomNormal([2, 3, 4, 5]), b = tf.randomNormal([3, 1, 5]), matrix = tf.tensor2d(new Array<number>(30).fill(1), [6, 5])
const bodies: Record<string, () => Tensor> = {
  'element-wise': () => tf.tanh(tf.softmax(tf.abs(a))),
  'broadcasting': () => tf.div(tf.maximum(tf.add(a, b), tf.scalar(2)), tf.sub(b, a)),
  'matrix products': () => tf.add(tf.matMul(matrix, matrix, false, true), tf.matMul(tf.matMul(matrix, matrix, true), matrix, false, true).sum()),
  'batched products': () => tf.add(tf.matMul(a, a, false, true).mean(), tf.matMul(a, a, true, false).mean()),
  'products of one batch and many': () => tf.abs(tf.matMul(a, tf.tensor4d(new Array(35).fill(1), [1, 1, 5, 7]))),
  'moves': () => tf.tile(tf.transpose(tf.reshape(a, [6, -1, 5]), [2, 0, 1]), [1, 2, 3]),
  'reductions': () => tf.add(tf.sum(a, [0, -1]), tf.sum(tf.mean(tf.max(a, 1, true), [1, 3]))),
}

describe('a shape by itself', () => {
  it.each(Object.entries(bodies))('is what TensorFlow gives: %s', (_, body) => {
    const { nodes } = record('', [[a, 'a'], [b, 'b'], [matrix, 'matrix']], () => [body()])
    const given = [['a', a], ['b', b], ['matrix', matrix]] as const
    const sources: GraphNode[] = given.map(([name, t]) => ({ name, op: 'Placeholder', inputs: [], attributes: {}, outputs: [{ dtype: FLOAT, shape: t.shape }] }))
    const byName = new Map([...nodes, ...sources].map(n => [n.name, n]))
    const operand = (input: string) => {
      const { op, attributes: { value } } = byName.get(input)!
      const values = op === 'Const' && value && 'tensor' in value ? new Int32Array(value.tensor.bytes.slice().buffer) : undefined
      return { ...outputOf(input, byName), ...(values ? { values } : {}) }
    }
    const computed = nodes.filter(n => n.op !== 'Const' && n.inputs.length > 0)
    expect(computed.length).toBeGreaterThan(1)
    for (const node of computed) {
      expect(inferred(node.op, node.attributes, node.inputs.map(operand)), node.op).toEqual(node.outputs[0])
    }
  })

  it('is all that is made of a large result while a body is written down', () => {
    const large = tf.zeros([300, 300])
    const { nodes } = record('', [[large, 'large']], () => [tf.matMul(tf.exp(large), large)])
    expect(nodes.map(n => n.outputs[0]!.shape)).toEqual([[300, 300], [300, 300]])
    expect(inferred('NoSuchOperation', {}, [{ dtype: 1, shape: [2] }])).toBeNull()
  })
})
