import type { SamplePrediction } from '@contract/evaluation'
import { describe, expect, it } from 'vitest'
import { commonSplit } from '../../src/renderer/compare/commonSplit'
import { calibrationError, reliability } from '../../src/renderer/evaluation/calibration'
import { confusedPairs, confusionOf, countAt, mistakesIn, samplesIn } from '../../src/renderer/evaluation/confusion'
import { cellAfter } from '../../src/renderer/evaluation/paintMatrix'

const sample = (label: number, said: number, sure = 0.8): SamplePrediction => ({ index: 0, file: `${label}-${said}-${sure}`, label, top: [said, 9], probabilities: [sure, 1 - sure] })
/** scikit-learn's own example of a classification report: y_true 0 1 2 2 2, y_pred 0 0 2 2 1. */
const report = [sample(0, 0), sample(1, 0), sample(2, 2), sample(2, 2), sample(2, 1)]

describe('confusion', () => {
  it('has the scores of scikit-learn', () => {
    const confusion = confusionOf(report, 4)
    const rounded = confusion.scores.map(({ precision, recall, f1, images }) => [precision, recall, f1].map(x => x === null ? null : Number(x.toFixed(2))).concat(images))
    expect(rounded).toEqual([[0.5, 1, 0.67, 1], [0, 0, 0, 1], [1, 0.67, 0.8, 3], [null, null, null, 0]])
    expect(confusion.macroF1).toBeCloseTo(0.4889, 4)
    expect(confusion.most).toBe(1)
    expect(countAt(confusion, { truth: 2, said: 2 })).toBe(2)
  })

  it('finds what is behind a cell, and what is confused most', () => {
    const predictions = [...report, sample(1, 0, 0.9), sample(2, 1, 0.99)]
    const confusion = confusionOf(predictions, 3)
    expect(samplesIn(predictions, { truth: 1, said: 0 })).toHaveLength(2)
    expect(confusedPairs(confusion).map(({ truth, said, images }) => [truth, said, images])).toEqual([[1, 0, 2], [2, 1, 2]])
    expect(mistakesIn(predictions).map(one => one.probabilities[0])).toEqual([0.99, 0.9, 0.8, 0.8])
  })

  it('is walked through by arrows, which stop at its edges', () => {
    expect(cellAfter('ArrowRight', { truth: 0, said: 0 }, 3)).toEqual({ truth: 0, said: 1 })
    expect(cellAfter('ArrowUp', { truth: 0, said: 1 }, 3)).toEqual({ truth: 0, said: 1 })
    expect(cellAfter('End', { truth: 2, said: 0 }, 3)).toEqual({ truth: 2, said: 2 })
    expect(cellAfter('Tab', { truth: 2, said: 0 }, 3)).toBeNull()
  })
})

describe('calibration', () => {
  it('weighs the distance of confidence and accuracy by images', () => {
    const predictions = [sample(0, 0, 0.95), sample(0, 0, 0.95), sample(0, 1, 0.95), sample(0, 1, 0.95), sample(0, 0, 0.55), sample(0, 0, 1)]
    const bins = reliability(predictions)
    expect(bins.map(({ low, images, accuracy }) => [low, images, accuracy])).toEqual([[0.5, 1, 1], [0.9, 5, 0.6]])
    expect(calibrationError(bins)).toBeCloseTo((1 * 0.45 + 5 * (0.96 - 0.6)) / 6, 10)
    expect(calibrationError(reliability([sample(0, 0, 1)]))).toBe(0)
  })
})

it('accuracies stand on one axis only where every run has them of one split', () => {
  const measured = (run: string, split: 'test' | 'validation') => ({ run, evaluation: 'e', step: 1, split, data: 'd', samples: 4, right: 2, accuracy: 0.5, interval: { low: 0.2, high: 0.8 } })
  expect(commonSplit(['a', 'b'], [measured('a', 'test'), measured('b', 'test')])).toBe('test')
  expect(commonSplit(['a', 'b'], [measured('a', 'test'), measured('b', 'validation')])).toBeNull()
  expect(commonSplit(['a', 'b'], [measured('a', 'test')])).toBeNull()
  expect(commonSplit(['a'], [])).toBeNull()
})
