import { describe, expect, it } from 'vitest'
import { BFLOAT16, FLOAT, type GraphNode } from '../../src/main/engine/step/graph/graphDef'
import { recomputed } from '../../src/main/engine/step/graph/recompute'

const node = (name: string, op: string, inputs: string[], dtype = FLOAT, shape = [64, 64]): GraphNode => ({ name, op, inputs, attributes: {}, outputs: [{ dtype, shape }] })
/** forward: y = exp(s p); backward: dp = dy s p, with the product p as it is stored */
const graph = (stored: number): GraphNode[] => [
  node('step/s', 'Const', [], FLOAT, [64]), node('step/p', 'MatMul', ['step/x', 'step/w'], stored), node('step/dy', 'MatMul', ['step/x', 'step/w']),
  node('step/full', 'Cast', ['step/p']), node('step/z', 'Mul', ['step/full', 'step/s']), node('step/y', 'Exp', ['step/z']),
  node('step/dp', 'Mul', ['step/dy', 'step/z']), node('step/out', 'Mul', ['step/dp', 'step/s']),
]
const runs: Record<string, number> = { 'step/full': 1, 'step/z': 1, 'step/y': 1, 'step/dp': 2, 'step/out': 2 }
const after = (nodes: GraphNode[], runOf = runs) => recomputed(nodes, name => runOf[name], 1024)

describe('what a later run reads', () => {
  it('is computed again from a product that takes half the memory', () => {
    const out = after(graph(BFLOAT16))
    expect(out.find(n => n.name === 'step/dp')!.inputs).toEqual(['step/dy', 'step/again2/z'])
    expect(out.filter(n => n.name.includes('again')).map(n => [n.name, n.inputs])).toEqual([['step/again2/full', ['step/p']], ['step/again2/z', ['step/again2/full', 'step/s']]])
    expect(out.findIndex(n => n.name === 'step/again2/z')).toBe(out.findIndex(n => n.name === 'step/dp') - 1)
  })
  it('is computed again from a product that takes as much', () => expect(after(graph(FLOAT)).some(n => n.name === 'step/again2/z')).toBe(true))
  it('is stored if more would have to be kept for it alone', () => {
    const nodes = graph(FLOAT).map(n => n.name === 'step/z' ? { ...n, inputs: ['step/full', 'step/residual'] } : n)
    const whole = [node('step/residual', 'MatMul', ['step/x', 'step/w'], BFLOAT16), ...nodes]
    expect(after(whole)).toEqual(whole)
  })
  it('is computed again from more that is read later anyway', () => {
    const nodes = [node('step/residual', 'MatMul', ['step/x', 'step/w']), ...graph(FLOAT).map(n => n.name === 'step/z' ? { ...n, inputs: ['step/full', 'step/residual'] } : n), node('step/last', 'Mul', ['step/p', 'step/s'])]
    expect(after(nodes, { ...runs, 'step/last': 2 }).some(n => n.name === 'step/again2/z')).toBe(true)
  })
  it('is stored if something outside of runs reads it too', () => {
    const nodes = [...graph(BFLOAT16), node('step/product', 'MatMul', ['step/z', 'step/w'])]
    expect(after(nodes)).toEqual(nodes)
  })
  it('is stored if it is costly', () => {
    const nodes = graph(BFLOAT16).map(n => n.name === 'step/dp' ? { ...n, inputs: ['step/dy', 'step/y'] } : n)
    expect(after(nodes)).toEqual(nodes)
  })
  it('is computed again though it is costly, where the reader has it anyway', () => {
    const nodes = graph(BFLOAT16).map(n => n.name === 'step/dp' ? { ...n, inputs: ['step/same', 'step/y'] } : n)
    nodes.splice(6, 0, node('step/same', 'Exp', ['step/z']))
    expect(after(nodes, { ...runs, 'step/same': 2 }).find(n => n.name === 'step/dp')!.inputs).toEqual(['step/same', 'step/again2/y'])
  })
})
