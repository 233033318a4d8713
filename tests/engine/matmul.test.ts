import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { relative } from '../support/rig'
import { canMultiply, multiplied } from '../../src/main/engine/step/graph/matmul'
import { record } from '../../src/main/engine/step/graph/record'
import { after, openSession, placeholder } from '../../src/main/engine/step/graph/session'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'
import { tf } from '../../src/main/engine/tf'

/** A product by TensorFlow, by our operation, and the operations of the second graph. */
function bothWays(a: number[], b: number[], transposed: readonly [boolean, boolean]) {
  const inputs = [tf.randomNormal(a, 0, 1, 'float32', 1), tf.randomNormal(b, 0, 1, 'float32', 2)]
  const sources = inputs.map((t, i) => placeholder(`x${i}`, 'float32', t.shape))
  const { nodes, results } = record('part/', inputs.map((t, i) => [t, `x${i}`]), () => [tf.matMul(inputs[0]!, inputs[1]!, ...transposed)])
  const graph = [...sources, ...nodes, after('run', results[0]!, [])], own = multiplied(graph)
  const run = (whole: typeof graph) => {
    const session = openSession(whole, withModelFolder), [out] = session.run({ x0: inputs[0]!, x1: inputs[1]! }, ['run'])
    session.close()
    return out!
  }
  return { expected: run(graph), got: run(own), operations: own.map(n => n.op) }
}

// rows, depth, columns: around whole vectors, tiles and panels, shared among threads by rows and by columns
const sizes = [[1, 1, 1], [1, 7, 100], [13, 16, 31], [14, 17, 32], [15, 256, 33], [29, 257, 65], [197, 64, 197], [300, 700, 520], [60, 300, 1100], [1000, 96, 40]] as const

describe('a matrix product of our own', () => {
  it('can be had in this runtime', () => expect(canMultiply(withModelFolder)).toBe(true))

  it.each(sizes.flatMap(([m, k, n]) => [[false, false], [false, true], [true, false], [true, true]].map(t => [m, k, n, t] as const)))('is what TensorFlow gives: %i x %i x %i, %s', (m, k, n, t) => {
    const { got, expected, operations } = bothWays(t[0] ? [k, m] : [m, k], t[1] ? [n, k] : [k, n], t as [boolean, boolean])
    expect(operations).toContain('EngramMatMul')
    expect(got.shape).toEqual(expected.shape)
    expect(relative(got.dataSync(), expected.dataSync())).toBeLessThan(2e-6)
  })

  it('takes leading axes, and leaves to TensorFlow what differs in them', () => {
    const same = bothWays([2, 3, 20, 8], [2, 3, 30, 8], [false, true])
    expect(same.operations).toContain('EngramMatMul')
    expect(relative(same.got.dataSync(), same.expected.dataSync())).toBeLessThan(2e-6)
    const other = bothWays([2, 3, 20, 8], [1, 1, 8, 30], [false, false])
    expect(other.operations).not.toContain('EngramMatMul')
  })

  it('is the same each time', () => {
    const once = bothWays([300, 700], [700, 520], [false, false]), again = bothWays([300, 700], [700, 520], [false, false])
    expect([...again.got.dataSync()]).toEqual([...once.got.dataSync()])
  })
})
