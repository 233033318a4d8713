import { describe, expect, it } from 'vitest'
import { Recipe } from '../../src/main/contract/recipe'
import type { RunRequest } from '../../src/main/contract/run'
import type { Batch } from '../../src/main/engine/data/types'
import { freshProgress, train, type TrainJob } from '../../src/main/engine/train/loop'

const PER_EPOCH = 5
const batch = { pixels: new Uint8Array(), labels: Int32Array.from([0, 1]), indices: Int32Array.from([0, 1]) } as unknown as Batch
async function* batches(count: number): AsyncGenerator<Batch> { for (let i = 0; i < count; i++) yield batch }

/** A job without tensors. `asks`: what is asked for after a step; `right`: whether a validation at a step gets the images right. */
async function course(asks: Record<number, RunRequest[]>, { right = () => true, patience = null as number | null, everySteps = 4 }: { right?: (step: number) => boolean; patience?: number | null; everySteps?: number } = {}): Promise<string[]> {
  const recipe = Recipe.parse({ backbone: { from: 'b' }, data: { from: 'd' }, method: { type: 'ssf' }, train: { epochs: 3, batchSize: 2 }, evaluate: { patience }, checkpoints: { everySteps } })
  const told: string[] = []
  const progress = freshProgress()
  const step = {
    train: async () => ({ loss: 1 / (progress.step + 1), correct: 1, images: 2, gradientNorm: 1 }),
    predict: async () => Float32Array.from(right(progress.step) ? [1, 0, 0, 1] : [0, 1, 1, 0]),
  }
  const job: TrainJob = {
    run: 'run-1', recipe, learningRate: 0.1, perEpoch: PER_EPOCH, step: step as never, train: (_, from) => batches(PER_EPOCH - from), validation: () => batches(1), test: null,
    requests: () => new Set(asks[progress.step]),
    save: async (_, best, asked) => {
      told.push(`saved ${progress.step}${best ? ' best' : ''}${asked ? ' asked' : ''}`)
      return { path: '/c', sizeBytes: 1, removed: [] }
    },
    loadBest: async () => null, keepTest: () => {}, clock: () => 0, memory: () => ({ now: 1, peak: 1 }),
  }
  for await (const event of train(job, progress, async () => true)) {
    if (event.event === 'evaluated') told.push(`evaluated ${event.step}`)
    if (event.event === 'finished') told.push(`finished ${event.step}`)
  }
  return told
}

const plain = ['saved 4', 'evaluated 5', 'saved 5 best', 'saved 8', 'evaluated 10', 'saved 10', 'saved 12', 'evaluated 15', 'saved 15', 'finished 15']

describe('a training', () => {
  it('evaluates after each epoch and saves as the recipe says', async () => {
    expect(await course({})).toEqual(plain)
  })

  it('saves once more when asked to, and one save is enough', async () => {
    expect(await course({ 2: ['save'] })).toEqual(['saved 2 asked', ...plain])
    expect(await course({ 4: ['save'] })).toEqual(['saved 4 asked', ...plain.slice(1)])
    expect(await course({ 5: ['save', 'evaluate'] })).toEqual(plain.map(line => line === 'saved 5 best' ? 'saved 5 best asked' : line))
  })

  it('evaluates when asked to, and saves what turned out to be the best', async () => {
    expect(await course({ 2: ['evaluate'] })).toEqual(['evaluated 2', 'saved 2 best', 'saved 4', 'evaluated 5', 'saved 5', ...plain.slice(3)])
    expect(await course({ 7: ['evaluate'] })).toEqual([...plain.slice(0, 3), 'evaluated 7', ...plain.slice(3)])
  })

  it('loses no patience by evaluations that were asked for', async () => {
    const untilTen = plain.slice(0, 6)
    expect(await course({}, { patience: 1 })).toEqual([...untilTen, 'finished 10'])
    expect(await course({ 6: ['evaluate'], 7: ['evaluate'] }, { patience: 1 })).toEqual([...plain.slice(0, 3), 'evaluated 6', 'evaluated 7', ...plain.slice(3, 6), 'finished 10'])
  })
})
