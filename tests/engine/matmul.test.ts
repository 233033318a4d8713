import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { relative } from '../support/rig'
import { BFLOAT16, FLOAT, type GraphNode } from '../../src/main/engine/step/graph/graphDef'
import { multiplied, multiplies } from '../../src/main/engine/step/graph/matmul'
import { record } from '../../src/main/engine/step/graph/record'
import { after, cast, openSession, placeholder } from '../../src/main/engine/step/graph/session'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'
import { tf } from '../../src/main/engine/tf'

/** A product by TensorFlow, by our operation, and the operations of the second graph. */
function bothWays(a: number[], b: number[], transposed: readonly [boolean, boolean]) {
  const inputs = [tf.randomNormal(a, 0, 1, 'float32', 1), tf.randomNormal(b, 0, 1, 'float32', 2)]
  const sources = inputs.map((t, i) => placeholder(`x${i}`, 'float32', t.shape))
  const { nodes, results } = record('part/', inputs.map((t, i) => [t, `x${i}`]), () => [tf.matMul(inputs[0]!, inputs[1]!, ...transposed)])
  const graph = [...sources, ...nodes, after('run', results[0]!, [])], own = multiplied(graph, [FLOAT])
  const run = (whole: typeof graph) => {
    const session = openSession(whole, withModelFolder), [out] = session.run({ x0: inputs[0]!, x1: inputs[1]! }, ['run'])
    session.close()
    return out!
  }
  return { expected: run(graph), got: run(own), operations: own.map(n => n.op) }
}

// rows, depth, columns: around whole vectors, tiles and panels, shared among threads by rows and by columns
const sizes = [[1, 1, 1], [1, 7, 100], [13, 16, 31], [14, 17, 32], [15, 256, 33], [29, 257, 65], [197, 64, 197], [300, 700, 520], [60, 300, 1100], [1000, 96, 40], [300, 500, 8]] as const

describe('a matrix product of our own', () => {
  it('can be had in this runtime', () => expect(multiplies(withModelFolder)).toContain(FLOAT))

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

const types = multiplies(withModelFolder)
/** A product of rounded inputs by our operation, and the same in float64. */
function rounded(a: number[], b: number[], [ta, tb]: readonly [boolean, boolean]) {
  const inputs = [a, b].map((shape, i) => tf.randomNormal(shape, 0, 1, 'float32', i + 1))
  const [m, k] = ta ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!], n = b.at(tb ? -2 : -1)!, shape = [...a.slice(0, -2), m, n]
  const graph: GraphNode[] = [
    ...inputs.flatMap((t, i) => [placeholder(`x${i}`, 'float32', t.shape), cast(`r${i}`, `x${i}`, [FLOAT, BFLOAT16], t.shape)]),
    { name: 'y', op: 'BatchMatMulV2', inputs: ['r0', 'r1'], attributes: { T: { type: BFLOAT16 }, adj_x: { bool: ta }, adj_y: { bool: tb } }, outputs: [{ dtype: BFLOAT16, shape }] },
    cast('full', 'y', [BFLOAT16, FLOAT], shape), after('run', 'full', []),
  ]
  const own = multiplied(graph, types), session = openSession(own, withModelFolder), got = session.run({ x0: inputs[0]!, x1: inputs[1]! }, ['run'])[0]!
  session.close()
  const [x, y] = inputs.map(t => Float32Array.from(t.dataSync(), nearest)) as [Float32Array, Float32Array], expected = new Float64Array(got.size)
  for (let at = 0; at < expected.length; at++) {
    const i = Math.floor(at / n) % m, j = at % n, of = Math.floor(at / (m * n))
    for (let d = 0; d < k; d++) expected[at]! += x[of * m * k + (ta ? d * m + i : i * k + d)]! * y[of * k * n + (tb ? j * k + d : d * n + j)]!
  }
  return { got: got.dataSync(), expected, shape: got.shape, operations: own.map(node => node.op) }
}
/** to bfloat16, ties to even */
function nearest(x: number): number {
  const [bits] = new Uint32Array(Float32Array.of(x).buffer) as unknown as [number]
  return new Float32Array(Uint32Array.of((bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000) >>> 0).buffer)[0]!
}
/** The most that a number is off, in units of its last place in bfloat16; sums near zero are held against what was summed. */
function unitsOff(got: ArrayLike<number>, expected: Float64Array, depth: number): number {
  const last = (x: number) => 2 ** (Math.floor(Math.log2(Math.abs(x))) - 7), noise = depth * 2 ** -23
  return expected.reduce((most, x, i) => Math.max(most, Math.max(0, Math.abs(got[i]! - x) - noise) / (x === 0 ? 2 ** -126 : last(x))), 0)
}

describe.skipIf(!types.includes(BFLOAT16))('a product of bfloat16 of our own', () => {
  it.each(sizes.flatMap(([m, k, n]) => [[false, false], [false, true], [true, false], [true, true]].map(t => [m, k, n, t] as const)))('is rounded once: %i x %i x %i, %s', (m, k, n, t) => {
    const { got, expected, operations } = rounded(t[0] ? [k, m] : [m, k], t[1] ? [n, k] : [k, n], t as [boolean, boolean])
    expect(operations).toContain('EngramMatMul')
    expect(unitsOff(got, expected, k)).toBeLessThan(0.51)
  })

  it('takes leading axes and long sums, and gives zeros where nothing is summed', () => {
    for (const [a, b, t] of [[[2, 3, 20, 8], [2, 3, 30, 8], [false, true]], [[3, 1500, 37], [3, 1500, 45], [true, false]]] as const) {
      const { got, expected, shape } = rounded([...a], [...b], t)
      expect(shape.slice(0, -2)).toEqual(a.slice(0, -2))
      expect(unitsOff(got, expected, t[0] ? a.at(-2)! : a.at(-1)!)).toBeLessThan(0.51)
    }
    expect([...rounded([2, 0], [0, 3], [false, false]).got]).toEqual([0, 0, 0, 0, 0, 0])
    expect(rounded([0, 4], [4, 3], [false, false]).shape).toEqual([0, 3])
  })
})
