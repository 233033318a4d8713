import { appendFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EvaluationHead, SamplePrediction } from '../../src/main/contract/evaluation'
import { verdicts, measuredRun } from '../../src/main/services/verdicts'
import { listEvaluations, readEvaluation, writeEvaluation } from '../../src/main/store/evaluations'
import { openRunStore, type RunStore } from '../../src/main/store/runStore'
import { draftOf, temporaryFolder, temporaryWorkspace } from './fixtures'

const head = (more: Partial<EvaluationHead> = {}): EvaluationHead => ({
  format: 1, run: 'run-1', step: 40, split: 'test', data: { name: 'digits', path: '/d', hash: '0123456789abcdef' }, classes: ['0', '1'],
  samples: 3, metrics: { 'test/accuracy': 1 }, savedAt: 1, ...more,
})
const sample = (index: number, label: number, said: number): SamplePrediction =>
  ({ index, file: `test/${label}/${index}.png`, label, top: [said, 1 - said], probabilities: [0.7, 0.3] })

describe('kept predictions', () => {
  it('are one file for each checkpoint, split and dataset', async () => {
    const folder = temporaryFolder(), predictions = [sample(0, 0, 0), sample(4, 1, 1), sample(9, 1, 0)]
    const id = writeEvaluation(folder, head(), predictions)
    expect(id).toBe('step-000040-test-0123456789ab')
    expect(await readEvaluation(folder, id)).toEqual({ ...head(), id, predictions })
    writeEvaluation(folder, head({ savedAt: 2 }), predictions)
    writeEvaluation(folder, head({ step: 20, savedAt: 3 }), predictions)
    expect(listEvaluations(folder).map(({ step, savedAt }) => [step, savedAt])).toEqual([[20, 3], [40, 2]])
  })

  it('that are damaged are told, and left out of the list where their head is gone', async () => {
    const folder = temporaryFolder(), id = writeEvaluation(folder, head(), [sample(0, 0, 0), sample(4, 1, 1), sample(9, 1, 0)])
    const path = join(folder, 'evaluations', `${id}.jsonl`)
    truncateSync(path, statSync(path).size - 20)
    await expect(readEvaluation(folder, id)).rejects.toThrow(/damaged; evaluate that checkpoint again/)
    writeFileSync(path, 'broken')
    appendFileSync(join(folder, 'evaluations', '.tmp-999999-0a-x.jsonl'), '{')
    expect(listEvaluations(folder)).toEqual([])
    writeEvaluation(folder, head(), [sample(0, 0, 0)])
    expect(readdirSync(join(folder, 'evaluations'))).toEqual([`${id}.jsonl`])
    await expect(readEvaluation(folder, 'step-000001-test-0')).rejects.toThrow(/no evaluation step-000001-test-0/)
    await expect(readEvaluation(folder, '../../run')).rejects.toThrow()
  })

  it('of 10,000 images of a thousand classes are read at once', async () => {
    const classes = Array.from({ length: 1000 }, (_, i) => `a class with a rather long name, number ${i}, and another word or two`)
    const folder = temporaryFolder(), predictions = Array.from({ length: 10_000 }, (_, i): SamplePrediction => ({ index: i, file: `test/some class/image-${i}.jpeg`, label: i % 1000, top: [1, 2, 3, 4, 5], probabilities: [0.5123456, 0.2, 0.1, 0.05, 0.04] }))
    const id = writeEvaluation(folder, head({ samples: 10_000, classes }), predictions)
    expect(listEvaluations(folder)).toHaveLength(1)
    const began = performance.now()
    expect((await readEvaluation(folder, id)).predictions).toHaveLength(10_000)
    expect(performance.now() - began).toBeLessThan(1000)
    expect(statSync(join(folder, 'evaluations', `${id}.jsonl`)).size).toBeLessThan(2e6)
  })
})

describe('verdicts', () => {
  const make = (store: RunStore, name: string, seed: number, type: string, wrong: readonly number[] | null) => {
    const draft = draftOf(name)
    const { folder, manifest } = store.create({ ...draft, recipe: { ...draft.recipe, seed, method: { ...draft.recipe.method, type } } })
    const predictions = Array.from({ length: 200 }, (_, i) => sample(i, i % 2, wrong?.includes(i) ? 1 - i % 2 : i % 2))
    if (wrong) writeEvaluation(folder, head({ run: manifest.id, samples: 200, data: { name: 'd', path: '/d', hash: 'abc' } }), predictions)
    return manifest.id
  }
  const verdictOf = async (store: RunStore, runs: string[]) => verdicts(await Promise.all(runs.map(run => measuredRun({ card: store.card(run), manifest: store.manifest(run) }))), runs[0]!)
  const from = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i)

  it('call a difference within noise so, image by image', async () => {
    const store = openRunStore(temporaryWorkspace())
    const runs = [make(store, 'a', 0, 'ssf', from(0, 12)), make(store, 'b', 0, 'lora', from(4, 10)), make(store, 'c', 0, 'dora', from(100, 40)), make(store, 'd', 0, 'full', null)]
    const { accuracies, pairs, missing, seeds } = await verdictOf(store, runs)
    expect(accuracies.map(({ run, right, samples }) => [run, right, samples])).toEqual([[runs[0], 188, 200], [runs[1], 190, 200], [runs[2], 160, 200]])
    expect(accuracies[0]!.interval.low).toBeCloseTo(0.898, 3)
    expect(pairs[0]).toMatchObject({ run: runs[1], onlyRun: 4, onlyBaseline: 2, samples: 200, clear: false })
    expect(pairs[0]!.sentence).toBe('b is 1.0 points better than a, within noise (McNemar p = 0.69, 4 against 2 samples).')
    expect(pairs[1]!.sentence).toBe('c is 14.0 points worse than a, more than noise (McNemar p < 0.001, 12 against 40 samples).')
    expect(missing).toEqual([{ run: runs[3], reason: expect.stringMatching(/^No predictions of d-/) }])
    expect(seeds).toEqual([])
    store.close()
  })

  it('pair runs of two recipes by their seeds', async () => {
    const store = openRunStore(temporaryWorkspace())
    const base = [0, 1, 2].map(seed => make(store, `ssf ${seed}`, seed, 'ssf', from(10 * seed, 40)))
    const other = [2, 0, 1].map(seed => make(store, `lora ${seed}`, seed, 'lora', from(10 * seed, 10)))
    const { seeds } = await verdictOf(store, [...base, ...other])
    expect(seeds).toHaveLength(1)
    expect(seeds[0]).toMatchObject({ runs: other, baseline: [base[2], base[0], base[1]], seeds: [2, 0, 1], clear: true })
    expect(seeds[0]!.difference).toBeCloseTo(0.15, 10)
    expect(seeds[0]!.sentence).toMatch(/^lora 2 is 15.0 points better than ssf 2 over 3 seeds, more than noise/)
    store.close()
  })

  it('say so where two runs saw no image in common', async () => {
    const store = openRunStore(temporaryWorkspace())
    const runs = [make(store, 'a', 0, 'ssf', from(0, 12)), make(store, 'b', 0, 'lora', null)]
    writeEvaluation(store.folder(runs[1]!), head({ run: runs[1]!, split: 'validation', samples: 1, data: { name: 'd', path: '/d', hash: 'abc' } }), [sample(0, 0, 0)])
    expect(await verdictOf(store, runs)).toMatchObject({ pairs: [], missing: [{ reason: expect.stringContaining('not measured on the same images') }] })
    store.close()
  })

  it('of many large evaluations let the window in meanwhile', async () => {
    const store = openRunStore(temporaryWorkspace())
    const runs = [0, 1, 2].flatMap(seed => ['ssf', 'lora'].map(type => {
      const id = make(store, `${type} ${seed}`, seed, type, null)
      const predictions = Array.from({ length: 10_000 }, (_, i) => sample(i, i % 2, (i * (seed + 3)) % 7 === 0 ? 1 - i % 2 : i % 2))
      writeEvaluation(store.folder(id), head({ run: id, samples: 10_000, data: { name: 'd', path: '/d', hash: 'abc' } }), predictions)
      return id
    }))
    let longest = 0, last = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    const began = performance.now()
    const { pairs, seeds } = await verdictOf(store, runs)
    clearInterval(timer)
    expect([pairs.length, seeds.length]).toEqual([5, 1])
    expect(longest).toBeLessThan(Math.max(150, (performance.now() - began) / 4))
    store.close()
  })
})
