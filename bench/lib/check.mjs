// Whether the cells of a row computed the same thing; one that did not is shown as such, and not timed.

/** Largest relative difference of a loss from the row's reference: of the first step, and of the next two. */
export const TOLERANCE = { float32: { first: 1e-3, next: 1e-2 }, bfloat16: { first: 2e-2, next: 5e-2 } }
const REFERENCES = ['torch-eager', 'engram-eager', 'torch-compile', 'engram-compiled']
const COMPARED = 3

/** What differs from the reference of the row, in words; null where all agrees. */
export function difference(cells, { row, method, mode }, precision) {
  const at = (id) => cells[`${row} ${method} ${id}`]
  const cell = at(mode)
  const reference = REFERENCES.map(at).find((one) => one?.status === 'measured')
  if (!reference || reference === cell) return null
  const against = `${reference.mode}'s`
  if (method !== 'inference' && cell.trainable !== reference.trainable) {
    return `${cell.trainable} trained values, ${against} are ${reference.trainable}`
  }
  const tolerance = TOLERANCE[precision === 'float32' ? 'float32' : 'bfloat16']
  for (let i = 0; i < Math.min(COMPARED, cell.losses.length, reference.losses.length); i++) {
    const relative = Math.abs(cell.losses[i] / reference.losses[i] - 1)
    if (!(relative <= (i === 0 ? tolerance.first : tolerance.next))) {
      return `loss ${cell.losses[i]} at step ${i + 1}, ${against} is ${reference.losses[i]}`
    }
  }
  return null
}
