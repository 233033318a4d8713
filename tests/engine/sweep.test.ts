import { describe, expect, it } from 'vitest'
import { Recipe } from '../../src/main/contract/recipe'
import { Sweep, sweepRounds } from '../../src/main/contract/sweep'
import { ablationsOf } from '../../src/main/engine/ablations'
import { parseRecipe } from '../../src/main/engine/recipe'
import { expandSweep } from '../../src/main/engine/sweep'

const base = { name: 'digits', backbone: { from: 'b' }, data: { from: 'd' }, method: { type: 'lora' } }
const sweep = (change: object) => Sweep.parse({ search: 'grid', axes: [{ kind: 'list', field: 'seed', values: [1, 2] }], ...change })
const rates = (recipes: Record<string, unknown>[]) => recipes.map(({ train }) => (train as { learningRate: number }).learningRate)

describe('a sweep', () => {
  it('as a grid has every combination, named by its values', () => {
    const recipes = expandSweep(base, sweep({ axes: [{ kind: 'list', field: 'method.rank', values: [4, 8] }, { kind: 'log', field: 'train.learningRate', from: 1e-4, to: 1e-2, count: 3 }] }))
    expect(recipes.map(({ name }) => name)).toEqual(['digits rank 4, learningRate 0.0001', 'digits rank 4, learningRate 0.001', 'digits rank 4, learningRate 0.01', 'digits rank 8, learningRate 0.0001', 'digits rank 8, learningRate 0.001', 'digits rank 8, learningRate 0.01'])
    for (const recipe of recipes) expect(() => parseRecipe(recipe)).not.toThrow()
    expect(base.method).toEqual({ type: 'lora' })
    expect(expandSweep(base, sweep({ axes: [{ kind: 'range', field: 'train.epochs', from: 1, to: 10, count: 4 }] })).map(({ train }) => (train as { epochs: number }).epochs)).toEqual([1, 4, 7, 10])
  })

  it('drawn at random lies within its bounds, spread over the logarithm, and repeats with its seed', () => {
    const drawn = (seed: number) => rates(expandSweep(base, sweep({ search: 'random', runs: 200, seed, axes: [{ kind: 'log', field: 'train.learningRate', from: 1e-5, to: 1e-1, count: 2 }] })))
    expect(drawn(1)).toEqual(drawn(1))
    expect(drawn(1)).not.toEqual(drawn(2))
    expect(Math.min(...drawn(1))).toBeGreaterThanOrEqual(1e-5)
    expect(Math.max(...drawn(1))).toBeLessThanOrEqual(1e-1)
    expect(drawn(1).filter(rate => rate < 1e-3).length).toBeGreaterThan(70)
  })

  it('states its rounds beforehand', () => {
    expect(sweepRounds(sweep({}), 10)).toEqual([{ runs: 2, epochs: 10 }])
    expect(sweepRounds(sweep({ search: 'halving', runs: 8, eta: 2 }), 16)).toEqual([{ runs: 8, epochs: 2 }, { runs: 4, epochs: 4 }, { runs: 2, epochs: 8 }, { runs: 1, epochs: 16 }])
    expect(sweepRounds(sweep({ search: 'halving', runs: 9, eta: 3 }), 3)).toEqual([{ runs: 9, epochs: 1 }, { runs: 3, epochs: 3 }])
  })

  it('says what is wrong with it', () => {
    const twice = [{ kind: 'list', field: 'seed', values: [1] }, { kind: 'list', field: 'seed', values: [2] }]
    expect(() => expandSweep(base, sweep({ axes: twice }))).toThrow(/changes seed twice/)
    expect(() => expandSweep(base, sweep({ axes: [{ kind: 'list', field: '__proto__.x', values: [1] }] }))).toThrow(/not a field/)
    const many = ['seed', 'train.epochs'].map(field => ({ kind: 'range', field, from: 1, to: 100, count: 50 }))
    expect(() => expandSweep(base, sweep({ axes: many }))).toThrow(/2500 runs; at most 500/)
  })
})

describe('ablations', () => {
  const of = (method: object, budget = { method: 1000, perRank: 240 }) => ablationsOf(Recipe.parse({ ...base, method, train: { learningRate: 0.5 } }), budget)
  const ids = (method: object) => of(method).filter(({ recipe }) => recipe !== null).map(({ id }) => id)

  it('are those that the run can have', () => {
    expect(ids({ type: 'ssf', san: {} })).toEqual(['propagation-off', 'functional', 'random', 'lora', 'linear-probe'])
    expect(ids({ type: 'lora', san: {} })).toEqual(['propagation-off', 'functional', 'random', 'other-pool', 'linear-probe'])
    expect(ids({ type: 'ssf', san: { preset: 'paper-functional' } })).toContain('locational')
    expect(ids({ type: 'ssf' })).toEqual(['propagation-on', 'lora', 'linear-probe'])
    expect(ids({ type: 'linear-probe' })).toEqual(['lora'])
  })

  it('change one thing, and stay recipes', () => {
    const offers = of({ type: 'ssf', san: { detach: true } })
    for (const { recipe } of offers) if (recipe) expect(() => parseRecipe(recipe)).not.toThrow()
    const find = (id: string) => offers.find(offer => offer.id === id)!.recipe as unknown as Recipe
    expect(find('random')).toMatchObject({ name: 'digits, random targets', method: { type: 'ssf', san: { preset: 'random', detach: true } }, train: { learningRate: 0.5 } })
    expect(find('propagation-off').method.san).toBeNull()
    expect(find('lora')).toMatchObject({ method: { type: 'lora', rank: 4, alpha: 4, san: null }, train: { learningRate: null } })
    expect(offers.find(({ id }) => id === 'other-pool')!.sentence).toMatch(/SSF here is its own/)
  })
})
