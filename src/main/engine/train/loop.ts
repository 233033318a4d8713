import { AppError } from '../../contract/errors'
import type { Recipe } from '../../contract/recipe'
import type { Metrics, RunRequest, TrainEvent } from '../../contract/run'
import type { Batch } from '../data/types'
import type { Precision } from '../../contract/rates'
import type { Step, Weights } from '../step/step'
import { emptyTally, tallied, tally } from './metrics'
import { predictionsOf, type Predicted } from './predictions'
import { learningRateAt } from './schedule'

/** Where a run stands, beside its tensors; saved with every checkpoint. */
export interface Progress {
  step: number
  best: { value: number; step: number } | null
  /** evaluations since the best */
  waited: number
  /** a stop came while validation measured this step: it is measured before anything else */
  unmeasured: boolean
  metrics: Metrics
  seconds: number
  images: number
  trainSeconds: number
  peakMemory: number
  /** of the large matrix products; a run keeps what it began with */
  precision: Precision
}
export const freshProgress = (precision: Precision = 'float32'): Progress => ({ precision, step: 0, best: null, waited: 0, unmeasured: false, metrics: {}, seconds: 0, images: 0, trainSeconds: 0, peakMemory: 0 })

export interface TrainJob {
  run: string
  recipe: Recipe
  learningRate: number
  perEpoch: number
  step: Step
  /** batches of an epoch from the given one on */
  train(epoch: number, from: number): AsyncIterable<Batch>
  validation: (() => AsyncIterable<Batch>) | null
  test: (() => AsyncIterable<Batch>) | null
  /** `asked` by a person */
  save(progress: Progress, best: boolean, asked: boolean): Promise<{ path: string; sizeBytes: number; removed: number[] }>
  loadBest(): Promise<Weights | null>
  /** what a person has asked for since the last call */
  requests(): ReadonlySet<RunRequest>
  /** what was said of each test image */
  keepTest(step: number, metrics: Metrics, predictions: Predicted[]): void
  /** seconds, rising */
  clock(): number
  /** resident bytes: now, and the most so far */
  memory(): { now: number; peak: number }
}

/** Lets messages in; false when a stop is asked. */
export type Gate = () => Promise<boolean>

/** Trains from `progress` on, to the end or to a stop. Pure policy: whoever calls logs, sends and asserts. */
export async function* train(job: TrainJob, progress: Progress, gate: Gate): AsyncGenerator<TrainEvent> {
  const clock = stopwatch(job, progress)
  const total = job.perEpoch * job.recipe.train.epochs
  let saved = progress.step
  if (progress.unmeasured) {
    const best = yield* evaluate(job, progress, clock, gate, true)
    if (!progress.unmeasured) yield await save(job, progress, best, clock)
  }
  let stopped = !(await gate())
  while (progress.step < total && !stopped && !outOfPatience(job, progress)) {
    for await (const batches of steps(job, progress)) {
      yield await oneStep(job, progress, batches, clock)
      const asked = job.requests()
      const due = progress.step === total || dueEvaluation(job, progress.step)
      const best = due || asked.has('evaluate') ? yield* evaluate(job, progress, clock, gate, due) : false
      if (due || best || asked.has('save') || dueSave(job, progress.step)) {
        yield await save(job, progress, best, clock, asked.has('save'))
        saved = progress.step
      }
      stopped = !(await gate())
      if (stopped || outOfPatience(job, progress)) break
    }
  }
  if (stopped) {
    if (saved < progress.step) yield await save(job, progress, false, clock)
    yield ending('stopped', job, progress, clock)
    return
  }
  const tested = yield* test(job, progress, clock, gate)
  yield ending(tested ? 'finished' : 'stopped', job, progress, clock)
}

const dueEvaluation = ({ recipe, perEpoch }: TrainJob, step: number): boolean => step % (recipe.evaluate.every === 'epoch' ? perEpoch : recipe.evaluate.every) === 0
const dueSave = ({ recipe }: TrainJob, step: number): boolean => recipe.checkpoints.everySteps !== null && step % recipe.checkpoints.everySteps === 0
const outOfPatience = ({ recipe }: TrainJob, p: Progress): boolean => recipe.evaluate.patience !== null && p.waited >= recipe.evaluate.patience

/** The batches of one step at a time, from where the run stands to the end of the epoch. */
async function* steps(job: TrainJob, progress: Progress): AsyncGenerator<Batch[]> {
  const { accumulate } = job.recipe.train
  const epoch = Math.floor(progress.step / job.perEpoch)
  let group: Batch[] = []
  for await (const batch of job.train(epoch, (progress.step % job.perEpoch) * accumulate)) {
    group.push(batch)
    if (group.length < accumulate) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

async function oneStep(job: TrainJob, p: Progress, batches: Batch[], clock: Stopwatch): Promise<TrainEvent> {
  const learningRate = learningRateAt(p.step, job.perEpoch, job.recipe.train, job.learningRate)
  const { loss, correct, images, gradientNorm } = await job.step.train(batches, p.step, learningRate)
  requireFinite({ loss, gradientNorm }, p.step, learningRate, job.recipe)
  p.step++
  const imagesPerSecond = clock.lap(images)
  const accuracy = correct / images
  p.metrics = { ...p.metrics, 'train/loss': loss, 'train/accuracy': accuracy }
  return { event: 'step', step: p.step, epoch: p.step / job.perEpoch, loss, accuracy, learningRate, gradientNorm, imagesPerSecond, memory: clock.memory() }
}

/** A finite loss may have a gradient that is not: the moments and what is saved after it would be lost. */
export function requireFinite({ loss, gradientNorm }: { loss: number; gradientNorm: number }, step: number, rate: number, recipe: Recipe): void {
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return
  const what = Number.isFinite(loss) ? 'gradient' : 'loss'
  const clip = recipe.train.clipNorm === null ? ', or set a clip norm' : ''
  throw new AppError('diverged', `The ${what} is no longer a number at step ${step} (learning rate ${rate.toPrecision(3)}); clone the run with a lower learning rate${clip}.`, { field: 'train.learningRate' })
}

/** Measures the validation split; true when it is the best so far. One that is not `due` tries nobody's patience, and is not made up for. */
async function* evaluate(job: TrainJob, p: Progress, clock: Stopwatch, gate: Gate, due: boolean): AsyncGenerator<TrainEvent, boolean> {
  if (!job.validation) return false
  p.unmeasured = due
  const measured = await measure(job.step, job.validation(), 'validation', gate)
  clock.tick()
  if (!measured) return false
  p.unmeasured = false
  const { metrics, samples } = measured
  p.metrics = { ...p.metrics, ...metrics }
  const { best: metric } = job.recipe.evaluate
  const value = metrics[metric]!, sign = metric.endsWith('loss') ? -1 : 1
  const best = p.best === null || sign * value > sign * p.best.value
  if (best) p.waited = 0
  else if (due) p.waited++
  if (best) p.best = { value, step: p.step }
  yield { event: 'evaluated', step: p.step, epoch: p.step / job.perEpoch, split: 'validation', metrics, best, samples }
  return best
}

/** The test split, once, with the best weights by validation (the last ones without a validation split). False when a stop came in between. */
async function* test(job: TrainJob, p: Progress, clock: Stopwatch, gate: Gate): AsyncGenerator<TrainEvent, boolean> {
  if (!job.test) return true
  const best = await job.loadBest()
  if (best) job.step.restore(best)
  yield { event: 'phase', phase: 'test', done: null, total: null, message: 'Testing the best checkpoint' }
  const predictions: Predicted[] = [], step = p.best?.step ?? p.step
  const measured = await measure(job.step, job.test(), 'test', gate, predictions)
  clock.tick()
  if (!measured) return false
  const { metrics, samples } = measured
  job.keepTest(step, metrics, predictions)
  p.metrics = { ...p.metrics, ...metrics }
  yield { event: 'evaluated', step, epoch: p.step / job.perEpoch, split: 'test', metrics, best: false, samples }
  return true
}

export interface Measured { metrics: Metrics; samples: number }

/** Loss and accuracy of a split; null when a stop came in between. `into` gains what is said of each image. */
export async function measure(step: Step, batches: AsyncIterable<Batch>, split: string, gate: Gate, into?: Predicted[]): Promise<Measured | null> {
  const t = emptyTally()
  for await (const batch of batches) {
    const logits = await step.predict(batch.pixels, batch.labels.length, batch.indices)
    tally(t, logits, batch.labels)
    into?.push(...predictionsOf(logits, batch))
    if (!(await gate())) return null
  }
  const { loss, accuracy } = tallied(t)
  return { metrics: { [`${split}/loss`]: loss, [`${split}/accuracy`]: accuracy }, samples: t.images }
}

async function save(job: TrainJob, p: Progress, best: boolean, clock: Stopwatch, asked = false): Promise<TrainEvent> {
  clock.tick()
  const saved = await job.save(p, best, asked)
  clock.tick()
  return { event: 'checkpoint', step: p.step, best, ...saved }
}

function ending(event: 'finished' | 'stopped', job: TrainJob, p: Progress, clock: Stopwatch): TrainEvent {
  clock.tick()
  clock.memory()
  return { event, run: job.run, step: p.step, metrics: p.metrics, seconds: p.seconds, imagesPerSecond: p.trainSeconds > 0 ? p.images / p.trainSeconds : 0, peakMemory: p.peakMemory }
}

interface Stopwatch {
  /** counts a training step; images per second over the last ones */
  lap(images: number): number
  /** counts the time since the last call as work that was not training */
  tick(): void
  memory(): number
}

function stopwatch(job: TrainJob, p: Progress): Stopwatch {
  let last = job.clock()
  const recent: { images: number; seconds: number }[] = []
  const passed = (): number => {
    const now = job.clock(), seconds = now - last
    last = now
    p.seconds += seconds
    return seconds
  }
  return {
    lap(images) {
      const seconds = passed()
      p.images += images
      p.trainSeconds += seconds
      recent.push({ images, seconds })
      if (recent.length > 10) recent.shift()
      return recent.reduce((n, r) => n + r.images, 0) / Math.max(1e-9, recent.reduce((n, r) => n + r.seconds, 0))
    },
    tick: () => void passed(),
    memory() {
      const { now, peak } = job.memory()
      p.peakMemory = Math.max(p.peakMemory, peak)
      return now
    },
  }
}
