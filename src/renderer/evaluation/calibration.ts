import type { SamplePrediction } from '@contract/evaluation'
import { confidenceOf, isMistake } from './confusion'

/** Predictions of about the same confidence: how sure they were, and how often right. */
export interface Bin { low: number; high: number; images: number; confidence: number; accuracy: number }
const BINS = 10

export function reliability(predictions: readonly SamplePrediction[]): Bin[] {
  const bins = Array.from({ length: BINS }, (_, i) => ({ low: i / BINS, high: (i + 1) / BINS, images: 0, sure: 0, right: 0 }))
  for (const one of predictions) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidenceOf(one) * BINS))]!
    bin.images++
    bin.sure += confidenceOf(one)
    bin.right += isMistake(one) ? 0 : 1
  }
  return bins.filter(({ images }) => images > 0).map(({ low, high, images, sure, right }) => ({ low, high, images, confidence: sure / images, accuracy: right / images }))
}

/** Expected calibration error: the mean distance between confidence and accuracy, over ten bins. */
export function calibrationError(bins: readonly Bin[]): number {
  const images = bins.reduce((sum, bin) => sum + bin.images, 0)
  return bins.reduce((sum, bin) => sum + bin.images * Math.abs(bin.accuracy - bin.confidence), 0) / Math.max(1, images)
}
