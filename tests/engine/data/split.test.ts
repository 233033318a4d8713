import { describe, expect, it } from 'vitest'
import { makeSplits, type SplitChoice, type Splittable } from '../../../src/main/engine/data/split'
import type { SplitName } from '../../../src/main/engine/data/types'

/** `train: [3, 2]` is three images of class 0 and two of class 1. */
function source(sizes: Partial<Record<SplitName, number[]>>, validationFromTrain = false): Splittable {
  const samples = Object.entries(sizes).flatMap(([split, each]) => each.flatMap((n, label) => Array.from({ length: n }, () => ({ split: split as SplitName, label }))))
  return { classes: (sizes.train ?? []).map(String), samples, validationFromTrain }
}
const choose = (more: Partial<SplitChoice['split']> & { limit?: number } = {}): SplitChoice => ({ split: { validation: 0, test: 0, seed: 0, ...more }, limit: more.limit ?? null })
const perClass = (from: Splittable, samples: Int32Array) => from.classes.map((_, c) => [...samples].filter(i => from.samples[i]!.label === c).length)

describe('splits', () => {
  it('hold out a share of each class', () => {
    const data = source({ train: [50, 30, 20] })
    const { train, validation, test } = makeSplits(data, choose({ validation: 0.2 }))
    expect(perClass(data, train)).toEqual([40, 24, 16])
    expect(perClass(data, validation)).toEqual([10, 6, 4])
    expect(test).toHaveLength(0)
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual(data.samples.map((_, i) => i))
  })

  it('hold out exact counts, whole numbers from 1 on', () => {
    const data = source({ train: [33, 33, 34, 7] })
    const { train, validation, test } = makeSplits(data, choose({ validation: 10, test: 1 }))
    expect([train.length, validation.length, test.length]).toEqual([96, 10, 1])
  })

  it.each([[10, 400], [47, 40], [100, 30], [397, 9], [2, 5000]])('of VTAB kind with %i classes of %i images are exactly 800 and 200', (classes, each) => {
    const data = source({ train: Array.from({ length: classes }, () => each) })
    const { train, validation } = makeSplits(data, choose({ validation: 200, limit: 1000 }))
    expect([train.length, validation.length]).toEqual([800, 200])
    const counts = perClass(data, train).map((n, c) => n + perClass(data, validation)[c]!)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    expect(Math.min(...perClass(data, train))).toBeGreaterThan(0)
  })

  it('use what the data brings', () => {
    const data = source({ train: [5, 5], validation: [2, 2], test: [1, 3] })
    const splits = makeSplits(data, choose({ validation: 0.4, test: 0.4 }))
    expect([splits.train.length, splits.validation.length, splits.test.length]).toEqual([10, 4, 4])
  })

  it('join the lists of VTAB when no validation is wanted', () => {
    const data = source({ train: [8, 8], validation: [2, 2] }, true)
    expect(makeSplits(data, choose()).train).toHaveLength(20)
    expect(makeSplits(data, choose()).validation).toHaveLength(0)
    expect(makeSplits(data, choose({ validation: 0.2 })).train).toHaveLength(16)
    expect(makeSplits({ ...data, validationFromTrain: false }, choose()).validation).toHaveLength(4)
  })

  it('limit evenly, as far as the classes have images', () => {
    const data = source({ train: [100, 3, 50] })
    expect(perClass(data, makeSplits(data, choose({ limit: 43 })).train)).toEqual([20, 3, 20])
    expect(makeSplits(data, choose({ limit: 1000 })).train).toHaveLength(153)
  })

  it('never leave a class without a training image', () => {
    const data = source({ train: [100, 1, 2] })
    expect(Math.min(...perClass(data, makeSplits(data, choose({ validation: 0.9 })).train))).toBe(1)
  })

  it('depend on the seed alone', () => {
    const data = source({ train: [50, 50] })
    const of = (seed: number) => makeSplits(data, choose({ validation: 0.3, test: 10, limit: 60, seed }))
    expect(of(1)).toEqual(of(1))
    expect(of(1).train).not.toEqual(of(2).train)
    expect(of(1).train).toEqual(Int32Array.from(of(1).train).sort())
  })

  it('that cannot be are refused with their field', () => {
    const data = source({ train: [5, 5] })
    expect(() => makeSplits(data, choose({ validation: 9 }))).toThrow(expect.objectContaining({ code: 'recipe-invalid', field: 'data.split.validation' }) as Error)
    expect(() => makeSplits(data, choose({ test: 100 }))).toThrow(/Holding out 100 images for test leaves some classes without any of the 10 training images/)
    expect(() => makeSplits(data, choose({ limit: 1 }))).toThrow(/limit of 1 training images is less than the 2 classes/)
  })
})
