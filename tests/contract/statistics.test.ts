import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mcnemar, pairedBootstrap, pairSentence, seedSentence, wilson } from '../../src/main/contract/statistics'
import { createRandom } from '../../src/main/engine/data/random'

interface Reference {
  wilson: { right: number; of: number; interval: [number, number] }[]
  mcnemar: { onlyA: number; onlyB: number; p: number }[]
  bootstrap: { differences: number[][]; mean: number; interval: [number, number] }[]
}
const reference = JSON.parse(readFileSync('tests/fixtures/reference/significance/significance.json', 'utf8')) as Reference
const draw = () => createRandom(0, 'bootstrap').int

describe('the numbers of statsmodels', () => {
  it.each(reference.wilson)('Wilson: $right of $of', ({ right, of, interval: [low, high] }) => {
    const found = wilson(right, of)
    expect(found.low).toBeCloseTo(low, 10)
    expect(found.high).toBeCloseTo(high, 10)
  })

  it.each(reference.mcnemar)('McNemar: $onlyA against $onlyB', ({ onlyA, onlyB, p }) => {
    expect(Math.abs(mcnemar(onlyA, onlyB) - p)).toBeLessThan(1e-9 * Math.max(p, 1e-3))
    expect(mcnemar(onlyB, onlyA)).toBe(mcnemar(onlyA, onlyB))
  })
})

const still = () => undefined
describe('the paired bootstrap', () => {
  it.each(reference.bootstrap)('is NumPy\'s, up to the draws: mean $mean', async ({ differences, mean, interval: [low, high] }) => {
    const found = await pairedBootstrap(differences, draw(), still)
    expect(found.mean).toBeCloseTo(mean, 12)
    const tolerance = 0.08 * (high - low)
    expect(Math.abs(found.interval.low - low)).toBeLessThan(tolerance)
    expect(Math.abs(found.interval.high - high)).toBeLessThan(tolerance)
    expect(await pairedBootstrap(differences, draw(), still)).toEqual(found)
  })

  it('is quick for five seeds on 10,000 images', async () => {
    const random = createRandom(1)
    const differences = Array.from({ length: 5 }, () => Array.from({ length: 10_000 }, () => random.int(3) - 1))
    const began = performance.now()
    await pairedBootstrap(differences, draw(), still)
    expect(performance.now() - began).toBeLessThan(5000)
  })
})

describe('the words', () => {
  const facts = { run: 'B', baseline: 'A' }
  it.each([
    [{ difference: 0.008, onlyRun: 38, onlyBaseline: 30, p: 0.3961 }, 'B is 0.8 points better than A, within noise (McNemar p = 0.4, 38 against 30 samples).'],
    [{ difference: -0.021, onlyRun: 18, onlyBaseline: 60, p: 1.9e-6 }, 'B is 2.1 points worse than A, more than noise (McNemar p < 0.001, 18 against 60 samples).'],
    [{ difference: 0, onlyRun: 5, onlyBaseline: 5, p: 1 }, 'B is as accurate as A (McNemar p = 1, 5 against 5 samples).'],
  ])('%o', (more, sentence) => expect(pairSentence({ ...facts, ...more })).toBe(sentence))

  it('of seeds name how many and how sure', () => {
    expect(seedSentence({ ...facts, seeds: 3, difference: 0.008, interval: { low: -0.004, high: 0.02 } }))
      .toBe('B is 0.8 points better than A over 3 seeds, within noise (paired bootstrap, 95 % interval −0.4 to +2.0 points).')
    expect(seedSentence({ ...facts, seeds: 5, difference: -0.03, interval: { low: -0.04, high: -0.01 } })).toContain('3.0 points worse than A over 5 seeds, more than noise')
  })
})
