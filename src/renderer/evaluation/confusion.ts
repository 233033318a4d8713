import type { SamplePrediction } from '@contract/evaluation'

/** A place in the matrix: rows are true classes, columns predicted ones. */
export interface Cell { truth: number; said: number }
export interface ClassScore { precision: number | null; recall: number | null; f1: number | null; images: number }
export interface Confusion { size: number; counts: Int32Array; scores: ClassScore[]; macroF1: number; most: number }

export const saidOf = (one: SamplePrediction): number => one.top[0]!
export const confidenceOf = (one: SamplePrediction): number => one.probabilities[0]!
/** How much likelier the first class is than the second. */
export const marginOf = (one: SamplePrediction): number => confidenceOf(one) - (one.probabilities[1] ?? 0)
export const isMistake = (one: SamplePrediction): boolean => saidOf(one) !== one.label
export const sameCell = (a: Cell | null, b: Cell | null): boolean => a?.truth === b?.truth && a?.said === b?.said

export function confusionOf(predictions: readonly SamplePrediction[], size: number): Confusion {
  const counts = new Int32Array(size * size)
  for (const one of predictions) counts[one.label * size + saidOf(one)]!++
  const scores = Array.from({ length: size }, (_, c) => scoreOf(counts, size, c))
  const seen = scores.flatMap(({ f1 }) => f1 ?? [])
  return { size, counts, scores, macroF1: seen.reduce((sum, f1) => sum + f1, 0) / Math.max(1, seen.length), most: mostConfused(counts, size) }
}

export const countAt = ({ size, counts }: Confusion, { truth, said }: Cell): number => counts[truth * size + said] ?? 0

/** A class that was neither there nor predicted has no score. */
function scoreOf(counts: Int32Array, size: number, c: number): ClassScore {
  let images = 0, predicted = 0
  for (let k = 0; k < size; k++) {
    images += counts[c * size + k]!
    predicted += counts[k * size + c]!
  }
  const right = counts[c * size + c]!
  return {
    images, precision: predicted > 0 ? right / predicted : null, recall: images > 0 ? right / images : null,
    f1: images + predicted > 0 ? 2 * right / (images + predicted) : null,
  }
}

function mostConfused(counts: Int32Array, size: number): number {
  let most = 0
  counts.forEach((n, at) => { if (at % (size + 1) !== 0) most = Math.max(most, n) })
  return most
}

export interface Pair extends Cell { images: number; share: number }

/** Which classes are taken for which others, the most frequent first. */
export function confusedPairs(confusion: Confusion): Pair[] {
  const { size, counts, scores } = confusion, pairs: Pair[] = []
  counts.forEach((images, at) => {
    const truth = Math.floor(at / size), said = at % size
    if (images > 0 && truth !== said) pairs.push({ truth, said, images, share: images / scores[truth]!.images })
  })
  return pairs.sort((a, b) => b.images - a.images || b.share - a.share)
}

export const samplesIn = (predictions: readonly SamplePrediction[], { truth, said }: Cell): SamplePrediction[] =>
  predictions.filter(one => one.label === truth && saidOf(one) === said)

/** Mistakes, the surest first. */
export const mistakesIn = (predictions: readonly SamplePrediction[]): SamplePrediction[] =>
  predictions.filter(isMistake).sort((a, b) => confidenceOf(b) - confidenceOf(a))
