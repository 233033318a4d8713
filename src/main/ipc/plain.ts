/** What of a message is more than an input of the window can be: nested deeper, or not plain JSON. */
const DEEPEST = 64

/** About how many bytes a plain JSON value takes; infinite where it is not one, nests too deep, or is larger than `most`. */
export function plainSize(value: unknown, most: number): number {
  let bytes = 0
  const left: { value: unknown; depth: number }[] = [{ value, depth: 0 }]
  for (let next = left.pop(); next; next = left.pop()) {
    const inner = partsOf(next.value)
    bytes += sizeOf(next.value)
    if (inner === null || next.depth > DEEPEST || bytes + inner.length > most) return Number.POSITIVE_INFINITY
    for (const part of inner) left.push({ value: part, depth: next.depth + 1 })
  }
  return bytes
}

/** Null for what JSON has no word for: maps, buffers, dates, functions, bigints. */
function partsOf(value: unknown): unknown[] | null {
  if (value === null || ['undefined', 'string', 'number', 'boolean'].includes(typeof value)) return []
  if (Array.isArray(value)) return value
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  return prototype === Object.prototype || prototype === null ? Object.entries(value as object).flat() : null
}

const sizeOf = (value: unknown): number => typeof value === 'string' ? value.length + 2 : 8
