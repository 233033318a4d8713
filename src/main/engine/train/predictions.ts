import type { Batch } from '../data/types'
import { softmax } from './metrics'

/** What a model says of one image: its likeliest classes, best first. */
export interface Predicted { index: number; label: number; top: number[]; probabilities: number[] }

const TOP = 5

/** Logits [B, C] of a batch as predictions, an image each. */
export function predictionsOf(logits: Float32Array, { labels, indices }: Pick<Batch, 'labels' | 'indices'>): Predicted[] {
  const classes = logits.length / labels.length
  return Array.from(labels, (label, i) => {
    const { top, probabilities } = likeliest(logits.subarray(i * classes, (i + 1) * classes))
    return { index: indices[i]!, label, top, probabilities }
  })
}

/** The likeliest classes of one row of logits; of equals the first, as argmax has it. */
export function likeliest(logits: Float32Array, most = TOP): { top: number[]; probabilities: number[] } {
  const all = softmax(logits)
  const top = Array.from(logits, (_, c) => c).sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, most)
  return { top, probabilities: top.map(c => all[c]!) }
}
