import type { MapRow } from './lens'

/** cosine: of the distances from 1 · divergence: exp of the Kullback-Leibler divergence of softmaxes, our reading of the paper's "perplexity" */
export type Measure = 'cosine' | 'divergence' | 'distance'
/** A vector to compare, under the name that it has in the matrix. */
export interface Named { name: string; values: Float32Array }
export const toNamed = (rows: readonly MapRow[]): Named[] => rows.map(({ site, values }) => ({ name: site.name, values }))

export function similarity(measure: Measure, a: Float32Array, b: Float32Array): number {
  if (measure === 'cosine') return cosine(a, b)
  if (measure === 'distance') return Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0))
  return divergence(a, b)
}

/** Of the distances from 1: gains themselves all lie near 1 and would seem alike. A vector of ones resembles nothing. */
function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0, left = 0, right = 0
  for (let i = 0; i < a.length; i++) {
    const x = a[i]! - 1, y = b[i]! - 1
    dot += x * y
    left += x * x
    right += y * y
  }
  return left === 0 || right === 0 ? 0 : dot / Math.sqrt(left * right)
}

/** exp(Σ p log(p / q)) with p = softmax(a), q = softmax(b); 1 where they are the same. */
function divergence(a: Float32Array, b: Float32Array): number {
  const p = logSoftmax(a), q = logSoftmax(b)
  return Math.exp(p.reduce((sum, x, i) => sum + Math.exp(x) * (x - q[i]!), 0))
}

function logSoftmax(values: Float32Array): Float64Array {
  const most = values.reduce((max, x) => Math.max(max, x), -Infinity)
  const total = Math.log(values.reduce((sum, x) => sum + Math.exp(x - most), 0))
  return Float64Array.from(values, x => x - most - total)
}

/** Rows against columns; null where widths differ. */
export const matrixOf = (measure: Measure, rows: readonly Named[], columns: readonly Named[]): (number | null)[][] =>
  rows.map(a => columns.map(b => a.values.length === b.values.length ? similarity(measure, a.values, b.values) : null))

export interface Pairs { count: number; mean: number; deviation: number }

export function pairsOf(values: readonly number[]): Pairs {
  const count = values.length, mean = values.reduce((sum, x) => sum + x, 0) / Math.max(1, count)
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  return { count, mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : 0 }
}

/** The mean over the layers that two runs share, as one number for both. */
export function runSimilarity(measure: Measure, a: readonly Named[], b: readonly Named[]): number | null {
  const theirs = new Map(b.map(one => [one.name, one.values]))
  const shared = a.flatMap(({ name, values }) => theirs.get(name)?.length === values.length ? [similarity(measure, values, theirs.get(name)!)] : [])
  return shared.length === 0 ? null : pairsOf(shared).mean
}
