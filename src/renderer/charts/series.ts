type Points = ArrayLike<number>

/** Exponential mean, bias-corrected so that the first values are not pulled to zero. */
export function smooth(values: Points, length: number, factor: number): Float64Array {
  const smoothed = new Float64Array(length)
  let mean = 0
  let weight = 0
  for (let i = 0; i < length; i++) {
    mean = mean * factor + values[i]! * (1 - factor)
    weight = weight * factor + (1 - factor)
    smoothed[i] = mean / weight
  }
  return smoothed
}

const mostInColumn = 2

/** The points between two x values as x, y, x, y; where there are more than two to a plot column the lowest and highest of each, so no spike is lost. */
export function visiblePoints(x: Points, y: Points, length: number, from: number, to: number, columns: number): Float64Array {
  const start = Math.max(0, firstAtLeast(x, length, from) - 1)
  const end = Math.min(length, firstAtLeast(x, length, to) + 1)
  const all = end - start <= columns * mostInColumn
  const points = new Float64Array(2 * (all ? end - start : columns * mostInColumn + 1))
  let size = 0
  const add = (i: number) => {
    points[size++] = x[i]!
    points[size++] = y[i]!
  }
  if (all) {
    for (let i = start; i < end; i++) add(i)
    return points
  }
  const perColumn = (end - start) / columns
  for (let column = 0; column < columns; column++) {
    const [low, high] = extremes(y, start + Math.floor(column * perColumn), start + Math.floor((column + 1) * perColumn))
    add(Math.min(low, high))
    add(Math.max(low, high))
  }
  add(end - 1)
  return points
}

function extremes(values: Points, start: number, end: number): [number, number] {
  let low = start
  let high = start
  for (let i = start + 1; i < end; i++) {
    if (values[i]! < values[low]!) low = i
    if (values[i]! > values[high]!) high = i
  }
  return [low, high]
}

export function firstAtLeast(x: Points, length: number, value: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (x[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The index whose x is nearest to a value; -1 when there is none. */
export function nearestIndex(x: Points, length: number, value: number): number {
  if (length === 0) return -1
  const after = Math.min(length - 1, firstAtLeast(x, length, value))
  return after > 0 && value - x[after - 1]! < x[after]! - value ? after - 1 : after
}
