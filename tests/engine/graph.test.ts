import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { relative } from '../support/rig'
import { valueAndGradients } from '../../src/main/engine/step/backward'
import { record } from '../../src/main/engine/step/graph/record'
import { after, openSession, placeholder } from '../../src/main/engine/step/graph/session'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'
import { tf, type Tensor } from '../../src/main/engine/tf'

/** Functions whose kernels are written into a graph in some way of their own. */
const functions: Record<string, (x: Tensor) => Tensor> = {
  'an added dimension': x => tf.mul(tf.ones([4, 5]), x.expandDims(1)),
  'slices, padding and joining': x => tf.concat([x.slice([1], [2]), tf.pad(x as never, [[1, 0]])]),
  'comparison and choice': x => tf.where(tf.greater(x, 0), tf.mul(x, 2), tf.neg(x)),
  'clipping and powers': x => tf.pow(tf.clipByValue(x, -0.5, 0.5), 2),
  'the median of pairs': x => tf.topk(x.reshape([2, 2]), 1).values,
  'a matrix product and softmax': x => tf.softmax(tf.matMul(x.reshape([2, 2]) as never, tf.eye(2) as never) as Tensor),
}

describe('a recorded graph', () => {
  it.each(Object.entries(functions))('computes %s as it was recorded', (name, f) => {
    const x = tf.tensor1d([0.3, -1.2, 0.8, 0.1]), other = tf.tensor1d([-0.4, 0.9, 0.2, -0.7])
    const { nodes, results } = record('n', [[x, 'x']], () => [f(x)])
    const session = openSession([placeholder('x', 'float32', [4]), ...nodes, after('run', results[0]!, [])], withModelFolder)
    for (const value of [x, other]) {
      const [out] = session.run({ x: value }, ['run']) as [Tensor]
      expect(relative(out.dataSync(), f(value).dataSync()), name).toBeLessThan(1e-6)
    }
    session.close()
  })

  it('holds a gradient too', () => {
    const x = tf.tensor1d([0.3, -1.2, 0.8, 0.1]), other = tf.tensor1d([-0.4, 0.9, 0.2, -0.7])
    const loss = (t: Tensor) => tf.sum(tf.square(functions['an added dimension']!(tf.tanh(t))))
    const { nodes, results } = record('n', [[x, 'x']], () => valueAndGradients(() => loss(x), [x]).gradients)
    const session = openSession([placeholder('x', 'float32', [4]), ...nodes, after('run', results[0]!, [])], withModelFolder)
    const [out] = session.run({ x: other }, ['run']) as [Tensor]
    const expected = tf.grad(loss as never)(other as never) as Tensor
    expect(relative(out.dataSync(), expected.dataSync())).toBeLessThan(1e-6)
    session.close()
  })

  it('refuses what comes from outside, by name of the trouble', () => {
    const stray = tf.tensor1d([1, 2])
    stray.dataSync()
    tf.tidy(() => tf.add(stray, 1)) // gives it a place in TensorFlow's memory
    expect(() => record('n', [], () => [tf.mul(stray, 2)])).toThrow('neither fed, nor kept, nor computed')
  })
})
