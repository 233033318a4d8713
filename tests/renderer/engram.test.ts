import { describe, expect, it } from 'vitest'
import type { EngramMap, EngramSite, SiteVector } from '@contract/engram'
import { blockGraph } from '../../src/renderer/engram/blockPaths'
import { mapCsv, pathsCsv } from '../../src/renderer/engram/csv'
import { columnsOf, hiddenNote, layoutOf } from '../../src/renderer/engram/layout'
import { legendWords } from '../../src/renderer/engram/legendWords'
import { farthest, firstLayers, layerNames, mapRows, toVectors } from '../../src/renderer/engram/lens'
import { neighbours, verdict } from '../../src/renderer/engram/neighbours'
import { distanceSeries } from '../../src/renderer/engram/series'
import { matrixOf, pairsOf, runSimilarity, similarity } from '../../src/renderer/engram/similarity'
import { balance, colourEnd, shownChannels, spread, strength, strongest } from '../../src/renderer/engram/stats'

const f = (...values: number[]) => Float32Array.from(values)
const site = (name: string, role: EngramSite['role'], block: number, out: number): EngramSite => ({ name, role, kind: 'linear', in: 2, out, block, gain: 'own', shift: false })
const map: EngramMap = {
  format: 1,
  sites: [0, 1].flatMap(block => [site(`blocks.${block}.q`, 'q', block, 2), site(`blocks.${block}.v`, 'v', block, 2), site(`blocks.${block}.proj`, 'o', block, 2), site(`blocks.${block}.fc1`, 'up', block, 4)]),
  paths: [0, 1].flatMap(block => [
    { from: [`blocks.${block}.v`], to: `blocks.${block}.proj`, axis: 'input' as const, map: 'same' as const, via: 'attention' as const, exact: true },
    { from: [`blocks.${block}.proj`], to: `blocks.${block}.fc1`, axis: 'input' as const, map: 'same' as const, via: 'residual' as const, exact: false },
  ]),
}
const record: SiteVector[] = map.sites.flatMap((one, i) => [
  { of: 'gain' as const, site: one.name, values: Float32Array.from({ length: one.out }, (_, c) => 1 + (i + 1) * (c % 2 ? -0.01 : 0.02)) },
  ...(one.role === 'o' ? [{ of: 'columns' as const, site: one.name, values: f(1.1, 0.9) }] : []),
])
const vectors = toVectors(record)

describe('one vector', () => {
  it('has its distance from 1, and the parts below and above', () => {
    const about = spread(f(0.9, 1.2, 1, 1), 1)
    expect(about.distance).toBeCloseTo(0.075, 6)
    expect(about.below).toBeCloseTo(0.05, 6)
    expect(about.above).toBeCloseTo(0.1, 6)
    expect(about.rms).toBeCloseTo(Math.hypot(0.05, 0.1), 6)
  })

  it('counts over many how many channels lie on either side', () => {
    const { below, above, distance } = balance([f(0.5, 1), f(1.5, 2, 1, 1)], 1)
    expect([below, above]).toEqual([1 / 6, 2 / 6])
    expect(distance).toBeCloseTo(2 / 6, 6)
    expect(balance([], 1)).toEqual({ below: 0, above: 0, distance: 0 })
  })

  it('names its strongest channels on either side', () => {
    const { below, above } = strongest(f(1, 0.7, 1.5, 0.9, 1.1), 1, 2)
    expect(below.map(one => one.channel)).toEqual([1, 3])
    expect(above.map(one => one.channel)).toEqual([2, 4])
    expect(strongest(f(1, 1), 1, 2)).toEqual({ below: [], above: [] })
  })

  it('is inked alike for twice and half, and bounded', () => {
    expect(strength(2, 1, Math.log(4))).toBeCloseTo(0.5, 6)
    expect(strength(0.5, 1, Math.log(4))).toBeCloseTo(-0.5, 6)
    expect([strength(9, 1, 1), strength(-1, 1, 1), strength(0, 1, 1)]).toEqual([1, -1, -1])
    expect(strength(-0.1, 0, 0.2)).toBeCloseTo(-0.5, 6)
    expect(colourEnd([f(1, 1.18, 0.95)], 1)).toBe(1.2)
    expect(colourEnd([f(0, -0.04)], 0)).toBe(0.05)
  })

  it('shows the channel farthest from 1 where several fall on a column', () => {
    expect([...shownChannels(f(1, 0.5, 1.9, 1, 1, 1.1), 3, 1, null)]).toEqual([1, 2, 5])
    expect([...shownChannels(f(1, 2), 4, 1, null)]).toEqual([0, 0, 1, 1])
    expect([...shownChannels(f(1, 0.5, 1.9, 1.2), 4, 1, [1, 0, 3, 2])]).toEqual([1, 0, 3, 2])
  })
})

describe('the map', () => {
  it('first shows the layers that the propagation joins, else those inside blocks', () => {
    expect(firstLayers(map, layerNames(map, vectors, 'gain'))).toEqual(['v', 'proj', 'fc1'])
    expect(firstLayers({ ...map, paths: [] }, ['q', 'v'])).toEqual(['q', 'v'])
    expect(layerNames(map, vectors, 'propagated')).toEqual(['proj'])
  })

  it('divides gains by another run\'s, and leaves out what it has not', () => {
    const other = toVectors(record.filter(one => one.site !== 'blocks.1.v'))
    const rows = mapRows(map, vectors, 'gain', ['v'], other)
    expect(rows.map(row => row.site.name)).toEqual(['blocks.0.v'])
    expect([...rows[0]!.values]).toEqual([1, 1])
  })

  it('unfolds the focused block and fits the rest into the room', () => {
    const rows = mapRows(map, vectors, 'gain', ['q', 'v', 'proj', 'fc1'], null), layout = layoutOf(rows, 1, 2, 120)
    expect(layout.rows.filter(row => row.inFocus).map(row => row.height)).toEqual([19, 19, 19, 19])
    expect(layout.height).toBeLessThanOrEqual(120)
    expect(layout.blocks.map(block => block.label)).toEqual(['0', '1'])
    const roomy = layoutOf(rows, 1, 2, 200)
    expect(new Set(roomy.rows.map(row => row.height))).toEqual(new Set([24]))
    expect(roomy.height).toBeLessThanOrEqual(200)
    expect(farthest(rows, 1)).toEqual({ key: 'gain/blocks.1.fc1', channel: 0 })
  })

  it('has a column for each channel of the narrowest layers, and says what is hidden', () => {
    const rows = mapRows(map, vectors, 'gain', ['v', 'fc1'], null)
    expect(columnsOf(rows, 100)).toEqual({ columns: 2, pixels: 50, base: 2 })
    expect(hiddenNote(rows, 2, 1)).toBe('fc1 has 4 channels: each column shows the one of two farthest from 1')
    expect(hiddenNote(rows, 4, 1)).toBe('')
  })

  it('follows the mean distance of each layer over its blocks', () => {
    const report = { map, checkpoints: [], records: [{ step: 0, distances: map.sites.map(() => 0) }, { step: 5, distances: map.sites.map((_, i) => i) }] }
    expect(distanceSeries(report, ['v', 'fc1'])).toEqual([{ label: 'v', values: [0, 3] }, { label: 'fc1', values: [0, 5] }])
  })
})

describe('propagation in a block', () => {
  it('lists layers in order with what leaves them, and those without a target', () => {
    const graph = blockGraph(map, 0)
    expect(graph.stubs).toEqual(['q'])
    expect(graph.stubReason).toBe('softmax: no target')
    expect(graph.nodes.map(node => [node.label, node.leaving.map(one => [one.target, one.exact])])).toEqual([['v', [['', true]]], ['proj', [['', false]]], ['fc1', []]])
  })

  it('names targets and sources in other blocks', () => {
    const crossing = { ...map, paths: [{ ...map.paths[0]!, from: ['blocks.0.fc1'], to: 'blocks.1.q', via: 'residual' as const, exact: false }] }
    expect(blockGraph(crossing, 0).nodes[0]!.leaving[0]!.target).toBe('to blocks.1.q')
    expect(blockGraph(crossing, 1).entering.map(one => one.from)).toEqual([['blocks.0.fc1']])
  })
})

describe('similarity', () => {
  it('is a cosine of distances from 1, a Euclidean distance, or a divergence that is 1 for the same', () => {
    expect(similarity('cosine', f(1.1, 0.9), f(1.2, 0.8))).toBeCloseTo(1, 5)
    expect(similarity('cosine', f(1.1, 1), f(1, 1.1))).toBeCloseTo(0, 5)
    expect(similarity('cosine', f(1, 1), f(1, 1.1))).toBe(0)
    expect(similarity('distance', f(1, 1), f(4, 5))).toBeCloseTo(5, 6)
    expect(similarity('divergence', f(1, 2), f(1, 2))).toBeCloseTo(1, 9)
    const p = Math.exp(1) / (1 + Math.exp(1))
    expect(similarity('divergence', f(1, 0), f(0, 0))).toBeCloseTo(Math.exp(p * Math.log(p / 0.5) + (1 - p) * Math.log((1 - p) / 0.5)), 6)
  })

  it('compares only equal widths, and runs over the layers they share', () => {
    const a = [{ name: 'v', values: f(1.1, 0.9) }, { name: 'fc1', values: f(1, 1, 1) }]
    expect(matrixOf('distance', a, a)).toEqual([[0, null], [null, 0]])
    expect(runSimilarity('cosine', a, [{ name: 'v', values: f(0.9, 1.1) }])).toBeCloseTo(-1, 5)
    expect(runSimilarity('cosine', a, [{ name: 'x', values: f(1, 1) }])).toBeNull()
  })

  it('tells joined layers, neighbours and the rest apart, and says so in words', () => {
    const named = map.sites.map((one, i) => ({ name: one.name, values: Float32Array.from({ length: one.out }, (_, c) => 1 + Math.sin(i * 3 + c)) }))
    const found = neighbours(map, named, 'cosine')
    expect([found.path.count, found.nextBlock.count]).toEqual([2, 4])
    expect(found.path.count + found.nextBlock.count + found.random.count).toBe(15 + 1)
    const near = pairsOf([0.9, 0.91, 0.92]), far = pairsOf([0.1, 0.12, 0.08]), wide = pairsOf([-1, 1, 0.4])
    expect(verdict(near, far, 'cosine')).toBe('more alike than random pairs')
    expect(verdict(near, far, 'distance')).toBe('less alike than random pairs')
    expect(verdict(near, wide, 'cosine')).toBe('not distinguishable from random pairs')
    expect(verdict(pairsOf([1]), far, 'cosine')).toBe('too few pairs to tell')
  })
})

describe('export', () => {
  it('writes every channel of what is shown, so that it reads back the same', () => {
    const [head, first, second, ...others] = mapCsv(mapRows(map, vectors, 'gain', ['v'], null), 40).trimEnd().split('\r\n')
    expect(head).toBe('step,layer,block,of,channel,value')
    expect([first, second]).toEqual(['40,blocks.0.v,0,gain,0,1.03999996', '40,blocks.0.v,0,gain,1,0.980000019'])
    expect(others).toHaveLength(2)
    expect(Math.fround(1.03999996)).toBe(Math.fround(1.04))
  })

  it('writes every path with the scale that arrives', () => {
    const lines = pathsCsv(map, vectors, 40).trimEnd().split('\r\n')
    expect(lines).toHaveLength(5)
    expect(lines[1]).toMatch(/^40,blocks\.0\.v,blocks\.0\.proj,attention,yes,input,2,0\.0299/)
    expect(lines[2]).toMatch(/^40,blocks\.0\.proj,blocks\.0\.fc1,residual,no,input,2,/)
  })

  it('names the ends of its colours', () => {
    expect(legendWords('gain', 1.2, false)).toEqual({ low: 'depression', high: 'potentiation', ticks: ['0.83', '0.91', '1.0', '1.10', '1.20'] })
    expect(legendWords('shift', 0.05, false).ticks).toEqual(['0', '0.025', '0.05'])
    expect(legendWords('gain', 1.01, true).low).toBe('less than the other')
  })
})
