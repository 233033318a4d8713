import { expect, test } from 'vitest'
import { difference } from '../../bench/lib/check.mjs'
import { figuresOf, matrixShare, speedup } from '../../bench/lib/figures.mjs'
import { flopsPerImage } from '../../bench/lib/flops.mjs'
import { machineSlug } from '../../bench/lib/machine.mjs'
import { readOptions } from '../../bench/lib/options.mjs'
import { renderReport } from '../../bench/lib/report.mjs'
import { judge } from '../../bench/lib/targets.mjs'

interface Cell { status: string; losses: number[]; trainable: number; steps: number[]; peakBytes: number; compileSeconds: number | null; problem?: string }

const measured = (fields: Partial<Cell> = {}): Cell =>
  ({ status: 'measured', losses: [4.6, 4.5, 4.4], trainable: 10, steps: [80, 800, 88], peakBytes: 1e9, compileSeconds: null, ...fields })

function results(cells: Record<string, Cell>) {
  const full = Object.entries(cells).map(([mode, cell]) => [`vit-b ssf ${mode}`, { row: 'vit-b', method: 'ssf', mode, at: '2026-01-02T00:00:00Z', identity: 'e1 2.21', ...cell }])
  const matrixRate = { torch: { float32: 200, bfloat16: 800 }, tensorflow: { float32: 400, bfloat16: 700 } }
  const machine = { processor: 'AMD EPYC', cores: 2, memoryBytes: 2 ** 34, flags: ['avx2'] }
  return { cells: Object.fromEntries(full), matrixRate, machine, versions: { torch: '2', tensorflow: '2', timm: '1', peft: '0', node: '20', commit: 'abc', engine: 'e1' } }
}

test('a cell has the median of its steps, per image', () => {
  const all = results({ 'torch-eager': measured(), 'engram-compiled': measured({ steps: [40, 44, 400] }) })
  expect(figuresOf(all, 'vit-b', 'ssf', 'torch-eager')).toMatchObject({ ms: 22 })
  expect(speedup(all, 'vit-b', 'ssf', 'engram-compiled', 22)).toBe(2)
  expect(figuresOf(all, 'vit-b', 'ssf', 'engram-bf16')).toEqual({ problem: 'not measured' })
})

test('a cell that computes something else has no time', () => {
  const differs = (cell: Partial<Cell>) => figuresOf(results({ 'torch-eager': measured(), 'engram-compiled': measured(cell) }), 'vit-b', 'ssf', 'engram-compiled').problem
  expect(differs({ losses: [4.604, 4.5, 4.4] })).toBeUndefined()
  expect(differs({ losses: [4.606, 4.5, 4.4] })).toMatch(/differs: loss 4.606 at step 1, torch-eager's is 4.6/)
  expect(differs({ losses: [4.6, 4.5, 4.5] })).toMatch(/step 3/)
  expect(differs({ losses: [NaN, 4.5, 4.4] })).toMatch(/loss NaN/)
  expect(differs({ trainable: 11 })).toMatch(/11 trained values/)
})

test('bfloat16 is compared more loosely than float32', () => {
  const { cells } = results({ 'torch-eager': measured(), 'engram-bf16': measured({ losses: [4.65, 4.6, 4.5] }) })
  expect(difference(cells, cells['vit-b ssf engram-bf16'], 'bfloat16')).toBeNull()
  expect(difference(cells, cells['vit-b ssf engram-bf16'], 'float32')).toMatch(/loss 4.65/)
})

test('a target is held against the best of torch\'s modes', () => {
  const verdict = (steps: number[]) => {
    const all = results({ 'torch-eager': measured({ steps: [400] }), 'torch-bf16': measured({ steps: [200] }), 'engram-bf16': measured({ steps }) })
    return judge(all).find(({ text }) => text.startsWith('compiled bf16 ≥ 1.25x'))
  }
  expect(verdict([150])).toMatchObject({ verdict: 'met', detail: 'ViT-B/16 SSF 1.33x' })
  expect(verdict([170])).toMatchObject({ verdict: 'missed in 1 of 1', detail: 'ViT-B/16 SSF 1.18x' })
})

test('operations are those of ViT-B: 35 GFLOP forward, 70 with the gradients of SSF', () => {
  expect(flopsPerImage('vit-b', 'inference') / 1e9).toBeCloseTo(35, 0)
  expect(flopsPerImage('vit-b', 'ssf') / 1e9).toBeCloseTo(71.5, 0)
  expect(flopsPerImage('vit-b', 'full')).toBeGreaterThan(flopsPerImage('vit-b', 'lora'))
  const all = results({ 'engram-compiled': measured({ steps: [1000] }) })
  expect(matrixShare(all, 'vit-b', 'ssf', 'engram-compiled')).toBeCloseTo(flopsPerImage('vit-b', 'ssf') / 250e6 / 400)
})

test('a report shows what failed, and what AMD processors lack', () => {
  const text = renderReport(results({ 'torch-eager': measured(), 'engram-bf16': measured({ status: 'skipped', problem: 'precision is refused' }) }))
  expect(text).toContain('no AVX-512')
  expect(text).toContain('| SSF | 22.0 (45.5) | skipped |')
  expect(text).not.toContain('earlier sources')
  expect(text).toContain('- ViT-B/16, SSF, Engram compiled bf16: skipped: precision is refused')
})

test('options are words of the grid; a file is named by processor and cores', () => {
  expect(readOptions(['--rows', 'vit-b,vit-ti', '--steps', '4'])).toMatchObject({ rows: ['vit-ti', 'vit-b'], steps: 4, device: 'cpu' })
  expect(readOptions([]).modes.map(({ id }: { id: string }) => id)).not.toContain('engram-auto')
  expect(() => readOptions(['--rows', 'vit-x'])).toThrow('--rows: "vit-x" is none of vit-ti, vit-s, vit-b')
  expect(() => readOptions(['--nonsense'])).toThrow(/--nonsense/)
  expect(machineSlug({ processor: 'Intel(R) Xeon(R) CPU @ 2.10GHz', cores: 2 })).toBe('intel-xeon-2-cores')
  expect(machineSlug({ processor: 'AMD EPYC 9R14 96-Core Processor', cores: 2 })).toBe('amd-epyc-9r14-2-cores')
})
