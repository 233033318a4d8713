import { describe, expect, it } from 'vitest'
import type { SanPlan } from '@contract/plan'
import { planRecipe } from '../../src/main/engine/plan'
import { refusedLines, sketchOf, sketchSentence } from '../../src/renderer/newRun/propagation'
import { tinyShape } from '../support/tinyVit'

const plan = (method: object) => planRecipe({ backbone: { from: 'x' }, data: { from: 'x' }, method }, { shape: tinyShape, classes: 10, trainImages: 100 })
const sanOf = (method: object): SanPlan => plan(method).san!
const arrows = (san: SanPlan) => { const sketch = sketchOf(san)!; return sketch.arrows.map(one => `${sketch.nodes[one.from]!.label} > ${sketch.nodes[one.to]!.label}`) }

describe('the drawing of the propagation', () => {
  it('has a block\'s chain, and q and k as stubs', () => {
    const san = sanOf({ type: 'ssf', san: {} }), sketch = sketchOf(san)!
    expect(arrows(san)).toEqual(['v > proj', 'proj > fc1', 'fc1 > fc2'])
    expect(sketch.arrows.map(one => one.edge.exact)).toEqual([true, false, false])
    expect(sketch.stubs).toEqual(['q', 'k'])
    expect(sketchSentence(san, sketch)).toBe('6 paths in 2 blocks, 2 exact and 4 approximate: a layer\'s gain also scales the input columns of the layer its arrow leads to. q and k act inside the softmax and have no target.')
  })

  it('shows targets that are not trained, as those of norms', () => {
    const san = sanOf({ type: 'layernorm', san: {} }), sketch = sketchOf(san)!
    expect(arrows(san)).toEqual(['norm1 > q', 'norm1 > k', 'norm1 > v', 'norm2 > fc1'])
    expect(sketch.nodes.map(node => node.width)).toEqual([64, null, null, null, 64, null])
  })

  it('names what lies outside the block', () => {
    expect(sketchOf(sanOf({ type: 'ssf', san: { preset: 'paper-functional' } }))!.nodes.map(node => node.below?.text)).toEqual(Array(6).fill('one block on'))
    expect(sketchOf(sanOf({ type: 'ssf', san: { preset: 'official-2024-base' } }))!.nodes.slice(0, 3).map(node => node.above?.text)).toEqual(['patch_embed', 'patch_embed', 'patch_embed'])
    expect(sketchOf(sanOf({ type: 'ssf', san: { qkvSource: 'prevFc2' } }))!.nodes.at(-1)!.below?.text).toBe('next q, k, v')
  })

  it('says which paths fall out for their widths, in the plan\'s notices too', () => {
    const method = { type: 'ssf', san: { axis: 'output' } }
    expect(refusedLines(sanOf(method))).toEqual(['proj to fc1: 64 gains for 256 output rows, 2 paths left out', 'fc1 to fc2: 256 gains for 64 output rows, 2 paths left out'])
    expect(plan(method).notices).toContainEqual({ level: 'warning', field: 'method.san.axis', message: '4 of SAN\'s paths fall out: source and target have different widths on this axis.' })
    expect(refusedLines(sanOf({ type: 'ssf', san: {} }))).toEqual([])
  })
})
