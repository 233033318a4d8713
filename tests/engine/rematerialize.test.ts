import { describe, expect, it } from 'vitest'
import { createRig, plainPixels, relative, trainDefaults } from '../support/rig'
import { randomPixels, tinyShape } from '../support/tinyVit'
import { createCompiledStep } from '../../src/main/engine/step/compiled'
import { FLOAT, type GraphNode } from '../../src/main/engine/step/graph/graphDef'
import { rematerialized } from '../../src/main/engine/step/graph/rematerialize'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'

const node = (name: string, inputs: string[], shape = [64, 64]): GraphNode => ({ name: `g/${name}`, op: 'MatMul', inputs: inputs.map(i => `g/${i}`), attributes: {}, outputs: [{ dtype: FLOAT, shape }] })
/** two stages and a head: a -> b, c inside the first; the second hands on f; then the way back */
const nodes = [
  node('x', ['pixels']), node('b', ['x']), node('c', ['b']), node('d', ['c']), node('e', ['d']), node('f', ['e']), node('head', ['f']), node('loss', ['head']),
  node('df', ['loss', 'head']), node('de', ['df', 'e']), node('dd', ['de', 'd']), node('dc', ['dd', 'c']), node('db', ['dc', 'b']),
]
const stages = { starts: [1, 3, 6], end: 7, back: 8 }

describe('activations computed again', () => {
  const out = rematerialized(nodes, stages, 1024)
  const read = (name: string) => out.find(n => n.name === `g/${name}`)!.inputs

  it('are those inside a stage, and come when the way back has come there', () => {
    expect(read('de')).toEqual(['g/df', 'g/again/e'])
    expect(out.find(n => n.name === 'g/again/d/for1')).toBeUndefined()
    expect(out.find(n => n.op === 'Identity')!.inputs).toEqual(['g/c', '^g/df'])
    const names = out.map(n => n.name)
    expect(names.indexOf('g/again/e')).toBeGreaterThan(names.indexOf('g/df'))
  })
  it('leave what goes from stage to stage, and the last stage, as they are', () => {
    expect(read('df')).toEqual(['g/loss', 'g/head'])
    expect(read('dc')).toEqual(['g/dd', 'g/c'])
  })
  it('leave what is small', () => expect(rematerialized(nodes, stages, 1e6)).toEqual(nodes))
})

const train = { learningRate: 1e-3, dropPath: 0.2, dropout: 0.1, clipNorm: 1 }
const side = tinyShape.imageSize, labels = Int32Array.from([1, 4, 7, 2]), batch = { pixels: randomPixels(4, side), labels, indices: labels }
const methods = [{ type: 'ssf', san: {} }, { type: 'lora', san: { gamma: 'ema' } }, { type: 'dora' }, { type: 'full' }]

describe.each(methods)('$type with its activations computed again', method => {
  it.each(['float32', 'bfloat16'] as const)('trains the same in %s', async precision => {
    const results = []
    for (const recompute of [false, true]) {
      const rig = await createRig(method), options = { seed: 3, precision, from: 0, train: trainDefaults({ ...train, recompute }), ...plainPixels }
      const step = createCompiledStep(rig.model, rig.tuning, rig.start, options, { train: [4], predict: [] }, withModelFolder, { fuse: 1, alone: 100, round: 1 })
      const losses: number[] = []
      for (let i = 0; i < 4; i++) losses.push((await step.train([batch], i, 1e-3)).loss)
      results.push(losses)
      step.dispose()
    }
    expect(relative(results[1]!, results[0]!)).toBeLessThan(precision === 'float32' ? 1e-5 : 2e-2)
  })
})
