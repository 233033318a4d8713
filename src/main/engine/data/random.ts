/** A seeded source of random numbers. Equal keys give equal numbers on every machine. */
export interface Random {
  /** In [0, 1), 53 bits. */
  uniform(): number
  /** Mean 0, deviation 1. */
  normal(): number
  /** A whole number in [0, below). */
  int(below: number): number
  /** The numbers 0 … n-1 in random order. */
  permutation(n: number): Int32Array
  /** An independent source. It depends on the keys alone, never on how many numbers were drawn here. */
  fork(...keys: RandomKey[]): Random
}
export type RandomKey = number | string

const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k))

/** Absorbs 32-bit words into four lanes and mixes them well (murmur3 finaliser on each lane). */
function absorb(lanes: Uint32Array, word: number): void {
  for (let i = 0; i < 4; i++) {
    let h = (lanes[i]! ^ Math.imul(word, 0x9e3779b1 + 2 * i)) >>> 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    lanes[i] = (h ^ (h >>> 16)) + Math.imul(lanes[(i + 3) & 3]!, 5) + 0x6d2b79f5 + i
  }
}

function absorbKey(lanes: Uint32Array, key: RandomKey): void {
  if (typeof key === 'string') {
    absorb(lanes, 0x53747200 + key.length)
    for (let i = 0; i < key.length; i++) absorb(lanes, key.charCodeAt(i))
    return
  }
  const words = new Uint32Array(new Float64Array([key]).buffer)
  absorb(lanes, words[0]!)
  absorb(lanes, words[1]!)
}

/** xoshiro128**: 32 random bits at each call. */
function wordsOf(lanes: Uint32Array): () => number {
  const s = Uint32Array.from(lanes)
  for (let i = 0; i < 4; i++) absorb(s, i)
  return () => {
    const result = Math.imul(rotl(Math.imul(s[1]!, 5), 7), 9) >>> 0
    const t = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= t
    s[3] = rotl(s[3]!, 11)
    return result
  }
}

/** Box and Muller: two normal numbers from two uniform ones. */
function normalsOf(uniform: () => number): () => number {
  let spare: number | null = null
  return () => {
    if (spare !== null) {
      const value = spare
      spare = null
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}

function fromLanes(lanes: Uint32Array): Random {
  const next = wordsOf(lanes)
  const uniform = () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992
  const int = (below: number): number => {
    // Draws from the incomplete last interval are thrown away, or small numbers would come up more often.
    const limit = 4294967296 - (4294967296 % below)
    let x = next()
    while (x >= limit) x = next()
    return x % below
  }
  return {
    uniform, int, normal: normalsOf(uniform),
    permutation(n) {
      const order = Int32Array.from({ length: n }, (_, i) => i)
      for (let i = n - 1; i > 0; i--) {
        const j = int(i + 1)
        const held = order[i]!
        order[i] = order[j]!
        order[j] = held
      }
      return order
    },
    fork(...keys) {
      const forked = Uint32Array.from(lanes)
      for (const key of keys) absorbKey(forked, key)
      return fromLanes(forked)
    },
  }
}

/** The random source that belongs to these keys, as in `createRandom(seed, 'order', epoch)`. */
export function createRandom(...keys: RandomKey[]): Random {
  const lanes = new Uint32Array([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344])
  for (const key of keys) absorbKey(lanes, key)
  return fromLanes(lanes)
}
