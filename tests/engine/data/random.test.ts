import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/main/engine/data/random'

const many = (n: number, draw: () => number) => Array.from({ length: n }, draw)
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

describe('random', () => {
  it('is the same for the same keys, on every machine and for ever', () => {
    const random = createRandom(0, 'order', 3)
    expect(many(3, () => random.uniform())).toEqual([0.7173783007174419, 0.29768902637603434, 0.7726723243181083])
    expect([...createRandom(7).permutation(8)]).toEqual([0, 7, 6, 5, 2, 4, 1, 3])
  })

  it('differs by each key', () => {
    const firsts = [createRandom(), createRandom(0), createRandom(1), createRandom('0'), createRandom(0, 0), createRandom(0, 'a'), createRandom(0, 'ab'), createRandom(0, 'a', 'b'), createRandom(-1), createRandom(2 ** 40), createRandom(0.5)]
    expect(new Set(firsts.map(random => random.uniform())).size).toBe(firsts.length)
  })

  it('forks by keys alone', () => {
    const used = createRandom(5)
    many(10, () => used.normal())
    expect(used.fork('x', 2).uniform()).toBe(createRandom(5, 'x', 2).uniform())
  })

  it('is uniform', () => {
    const random = createRandom(1)
    const values = many(200_000, () => random.uniform())
    expect(mean(values)).toBeCloseTo(0.5, 2)
    expect(mean(values.map(v => (v - 0.5) ** 2))).toBeCloseTo(1 / 12, 2)
    const bins = new Array<number>(100).fill(0)
    for (const value of values) bins[Math.floor(value * 100)]!++
    const chi = bins.reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0)
    expect(chi).toBeLessThan(150)
    // Neighbouring seeds, as epochs and samples are, must not be alike.
    const firsts = many(20_000, (() => { let seed = 0; return () => createRandom(3, seed++).uniform() })())
    expect(mean(firsts)).toBeCloseTo(0.5, 1)
    expect(Math.abs(mean(firsts.slice(1).map((v, i) => (v - 0.5) * (firsts[i]! - 0.5))))).toBeLessThan(0.003)
  })

  it('is normal', () => {
    const random = createRandom(2)
    const values = many(100_000, () => random.normal())
    expect(Math.abs(mean(values))).toBeLessThan(0.02)
    expect(mean(values.map(v => v * v))).toBeCloseTo(1, 1)
    expect(values.filter(v => Math.abs(v) < 1).length / values.length).toBeCloseTo(0.6827, 2)
  })

  it('draws whole numbers and orders fairly', () => {
    const random = createRandom(4)
    const bins = new Array<number>(7).fill(0)
    for (let i = 0; i < 70_000; i++) bins[random.int(7)]!++
    for (const n of bins) expect(Math.abs(n - 10_000)).toBeLessThan(400)
    const orders = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const key = createRandom(9, i).permutation(3).join('')
      orders.set(key, (orders.get(key) ?? 0) + 1)
    }
    expect(orders.size).toBe(6)
    for (const n of orders.values()) expect(Math.abs(n - 1000)).toBeLessThan(130)
    expect([...createRandom(1).permutation(1000)].sort((a, b) => a - b)).toEqual(many(1000, (() => { let i = 0; return () => i++ })()))
  })
})
