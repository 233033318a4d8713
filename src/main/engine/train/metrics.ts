/** Running loss and accuracy over batches of logits. */
export interface Tally { images: number; loss: number; correct: number }
export const emptyTally = (): Tally => ({ images: 0, loss: 0, correct: 0 })

/** Adds a batch; logits [B, C] row-major. Loss is cross-entropy without smoothing. */
export function tally(t: Tally, logits: Float32Array, labels: Int32Array): void {
  const classes = logits.length / labels.length
  for (let i = 0; i < labels.length; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes)
    const best = argMax(row)
    t.loss += logSumExp(row, row[best]!) - row[labels[i]!]!
    t.correct += best === labels[i] ? 1 : 0
  }
  t.images += labels.length
}

export const tallied = (t: Tally): { loss: number; accuracy: number } => ({ loss: t.loss / t.images, accuracy: t.correct / t.images })

export function argMax(row: Float32Array): number {
  let best = 0
  for (let j = 1; j < row.length; j++) if (row[j]! > row[best]!) best = j
  return best
}

export function softmax(row: Float32Array): Float32Array {
  const top = row[argMax(row)]!
  const exp = row.map(x => Math.exp(x - top)), sum = exp.reduce((a, b) => a + b, 0)
  return exp.map(x => x / sum)
}

function logSumExp(row: Float32Array, top: number): number {
  let sum = 0
  for (const x of row) sum += Math.exp(x - top)
  return top + Math.log(sum)
}
