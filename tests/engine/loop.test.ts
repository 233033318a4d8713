import { describe, expect, it } from 'vitest'
import { Recipe } from '../../src/main/contract/recipe'
import type { TrainEvent } from '../../src/main/contract/run'
import type { Batch } from '../../src/main/engine/data/types'
import type { Step, StepState } from '../../src/main/engine/step/step'
import { freshProgress, type Progress, train, type TrainJob } from '../../src/main/engine/train/loop'

const PER_EPOCH = 3, EPOCHS = 2, MEASURED = 4
const batch: Batch = { pixels: new Uint8Array(0), labels: Int32Array.of(0), indices: Int32Array.of(0) }
async function* batches(count: number): AsyncGenerator<Batch> { for (let i = 0; i < count; i++) yield batch }

/** A step whose weight is the number of steps it took, and whose loss on a batch follows from that weight. */
function bench() {
  const saved: Progress[] = []
  let weight = 0
  const step = {
    train: async () => ({ loss: 1 / ++weight, correct: 1, images: 1, gradientNorm: 1 }),
    predict: async () => Float32Array.of(weight % 5, 1),
    restore: (state: StepState) => { weight = state.values[0]! },
  } as unknown as Step
  const job: TrainJob = {
    run: 'r', step, perEpoch: PER_EPOCH, learningRate: 0.1,
    recipe: Recipe.parse({ backbone: { from: 'b' }, data: { from: 'd' }, method: { type: 'ssf' }, train: { epochs: EPOCHS, warmupEpochs: 0 } }),
    train: (_, from) => batches(PER_EPOCH - from), validation: () => batches(MEASURED), test: () => batches(MEASURED),
    requests: () => new Set(),
    save: async progress => { saved.push({ ...progress }); return { path: '', sizeBytes: 0, removed: [] } },
    loadBest: async () => null, keepTest: () => {}, clock: () => 0, memory: () => ({ now: 0, peak: 0 }),
  }
  /** One session: stopped at the given turn, or never. */
  async function session(progress: Progress, stopAt = Infinity): Promise<{ events: TrainEvent[]; turns: number }> {
    const events: TrainEvent[] = []
    let turns = 0
    for await (const event of train(job, progress, async () => ++turns < stopAt)) events.push(event)
    return { events, turns }
  }
  return { job, session, saved, goBackTo: (step: number) => { weight = step } }
}
const measured = (events: readonly TrainEvent[]) => events.flatMap(event => event.event === 'evaluated' ? [[event.split, event.step, event.best, event.metrics[`${event.split}/loss`]!.toFixed(9)].join(' ')] : [])

describe('a run that is stopped at any turn', () => {
  it('has measured and ends as one that was not, once it has gone on', async () => {
    const { events: whole, turns } = await bench().session(freshProgress())
    expect(whole.at(-1)!.event).toBe('finished')
    expect(measured(whole)).toHaveLength(EPOCHS + 1)
    for (let stopAt = 1; stopAt <= turns; stopAt++) {
      const { session, saved, goBackTo } = bench()
      const first = await session(freshProgress(), stopAt)
      expect(first.events.at(-1)!.event, `stopped at turn ${stopAt}`).toBe('stopped')
      const last = saved.at(-1) ?? freshProgress()
      goBackTo(last.step)
      const second = await session({ ...last })
      expect(second.events.at(-1), `stopped at turn ${stopAt}`).toEqual(whole.at(-1))
      expect([...new Set([...measured(first.events), ...measured(second.events)])]).toEqual(measured(whole))
    }
  })
})

describe('a step that is no longer a number', () => {
  it.each([['loss', NaN, 1], ['gradient', 1, Infinity]])('ends the run at its %s, and nothing of it is saved', async (what, loss, gradientNorm) => {
    const { job, session, saved } = bench()
    const { train: whole } = job.step
    job.step.train = async (...given) => {
      const result = await whole(...given)
      return given[1] === PER_EPOCH + 1 ? { ...result, loss, gradientNorm } : result
    }
    await expect(session(freshProgress())).rejects.toThrow(`The ${what} is no longer a number at step ${PER_EPOCH + 1}`)
    expect(saved.at(-1)!.step).toBe(PER_EPOCH)
  })
})
