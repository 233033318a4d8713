import { describe, expect, it } from 'vitest'
import type { VitShape } from '../../src/main/contract/model'
import { planRecipe } from '../../src/main/engine/plan'
import { tinyShape } from '../support/tinyVit'

const base: VitShape = { ...tinyShape, imageSize: 224, patch: 16, width: 768, depth: 12, heads: 12, mlp: 3072, classes: 0, layerScale: false, positionGrid: 14 }
const memoryOf = (train: Record<string, unknown>, method: Record<string, unknown> = { type: 'lora' }, step = 'auto') =>
  planRecipe({ backbone: { from: 'b' }, data: { from: 'd' }, method, train, step }, { shape: base, classes: 100, trainImages: 1000 }).memory

describe('the memory that a plan expects', () => {
  it('falls with each change that it names, and the effective batch stays', () => {
    const { total, lower } = memoryOf({ batchSize: 7, accumulate: 3 })
    expect(lower.map(({ change }) => change)).toEqual(expect.arrayContaining([{ 'train.recompute': true }, { 'train.batchSize': 4, 'train.accumulate': 6 }]))
    expect(lower.every((way, i) => way.total < total && way.total >= (lower[i - 1]?.total ?? 0))).toBe(true)
    expect(memoryOf({ batchSize: 7, recompute: true }).total).toBe(lower.find(({ change }) => 'train.recompute' in change)!.total)
    expect(memoryOf({ batchSize: 4, accumulate: 6 }).total).toBe(lower.find(({ change }) => 'train.batchSize' in change)!.total)
  })
  it('names no change that saves little or cannot be made', () => {
    expect(memoryOf({ batchSize: 8 }, { type: 'linear-probe' }).lower).toEqual([])
    expect(memoryOf({ batchSize: 8 }, { type: 'lora' }, 'eager').lower).toEqual([])
    expect(memoryOf({ batchSize: 1, recompute: true }).lower).toEqual([])
  })
})
