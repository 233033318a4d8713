/** Numbers about one vector around its neutral value: 1 for scales, 0 for shifts. */

export interface Spread { distance: number; rms: number; below: number; above: number; min: number; max: number }

/** distance: mean |x − neutral| · rms: root of the mean square of that · below, above: rms of the parts on each side */
export function spread(values: Float32Array, neutral: number): Spread {
  let absolute = 0, below = 0, above = 0, min = Infinity, max = -Infinity
  for (const value of values) {
    const off = value - neutral
    absolute += Math.abs(off)
    if (off < 0) below += off * off
    else above += off * off
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const n = Math.max(1, values.length), root = (squares: number) => Math.sqrt(squares / n)
  return { distance: absolute / n, rms: root(below + above), below: root(below), above: root(above), min, max }
}

/** Shares of all channels below and above the neutral value, and their mean distance from it. */
export function balance(vectors: readonly Float32Array[], neutral: number): { below: number; above: number; distance: number } {
  let below = 0, above = 0, distance = 0, all = 0
  for (const values of vectors) for (const value of values) {
    if (value < neutral) below++
    else if (value > neutral) above++
    distance += Math.abs(value - neutral)
    all++
  }
  const n = Math.max(1, all)
  return { below: below / n, above: above / n, distance: distance / n }
}

export interface Channel { channel: number; value: number }

/** The channels farthest below and above the neutral value. */
export function strongest(values: Float32Array, neutral: number, count: number): { below: Channel[]; above: Channel[] } {
  const ranked = byValue(values).map(channel => ({ channel, value: values[channel]! }))
  return {
    below: ranked.slice(0, count).filter(({ value }) => value < neutral),
    above: ranked.slice(-count).reverse().filter(({ value }) => value > neutral),
  }
}

/** Channels by rising value. */
export const byValue = (values: Float32Array): number[] => Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b)

/** How strongly a value is drawn, −1 to 1: scales by their logarithm, so that 2 and 1/2 are equally far. */
export function strength(value: number, neutral: number, range: number): number {
  const off = neutral === 1 ? (value > 0 ? Math.log(value) : -Infinity) : value
  return Math.max(-1, Math.min(1, off / range))
}

/** The channel that each of `columns` shows: of those that fall on it, the one farthest from neutral. `order` permutes the channels. */
export function shownChannels(values: Float32Array, columns: number, neutral: number, order: readonly number[] | null): Uint32Array {
  const width = values.length
  const channelAt = (position: number): number => order?.[position] ?? position
  return Uint32Array.from({ length: columns }, (_, column) => {
    const from = Math.floor(column * width / columns), to = Math.max(from + 1, Math.floor((column + 1) * width / columns))
    let best = channelAt(from)
    for (let position = from + 1; position < to; position++) {
      const channel = channelAt(position)
      if (Math.abs(strength(values[channel]!, neutral, 100)) > Math.abs(strength(values[best]!, neutral, 100))) best = channel
    }
    return best
  })
}

const factors = [1.002, 1.005, 1.01, 1.02, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 3, 5, 10]
const shifts = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
const OUTSIDE = 0.002

/** Where colours end: a round factor, or a round shift, that all but the farthest 0.2 % lie within. */
export function colourEnd(vectors: readonly Float32Array[], neutral: number): number {
  const off = vectors.flatMap(values => Array.from(values, value => Math.abs(neutral === 1 ? Math.log(Math.max(value, 1e-6)) : value))).sort((a, b) => a - b)
  const reach = off[Math.max(0, Math.ceil(off.length * (1 - OUTSIDE)) - 1)] ?? 0
  const ends = neutral === 1 ? factors : shifts
  return ends.find(end => (neutral === 1 ? Math.log(end) : end) >= reach) ?? ends.at(-1)!
}
