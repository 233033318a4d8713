// A trainer without TensorFlow for the tests of its host: what it does is chosen by the run's name, or by the first file to predict.
import { basename } from 'node:path'
import { AppError } from '../../src/main/contract/errors'
import { findCheckpoint, rewindCheckpoints, saveCheckpoint } from '../../src/main/store/checkpoints'
import { readManifest } from '../../src/main/store/runFolder'
import type { JobContext, JobFunction, JobKind } from '../../src/main/worker/protocol'
import { serveJobs } from '../../src/main/worker/serveJobs'

const STEPS = 40
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Adds 1/step to a number each step, so a resumed run must come to the same number as an uninterrupted one. */
const runTrain: JobFunction<'train'> = async ({ runFolder, resume }, ctx) => {
  const run = basename(runFolder)
  const { name, train } = readManifest(runFolder)!.recipe
  let step = 0
  let weight = 0
  /** Processor time that telling the steps took, in microseconds. */
  let telling = 0
  if (resume) {
    const last = findCheckpoint(runFolder, 'last')
    step = last.state.step
    weight = last.state.trainer['weight'] as number
    rewindCheckpoints(runFolder, step)
  }
  ctx.emit({ event: 'started', run, folder: runFolder, step, steps: STEPS, stepsPerEpoch: 10, epochs: 4, device: ctx.device, pid: process.pid })
  const ending = () => ({ run, step, metrics: { weight, ...(name === 'paced' ? { telling } : {}) }, seconds: 1, imagesPerSecond: 1, peakMemory: 1 })
  while (step < STEPS) {
    if (!(await ctx.turn())) {
      save(runFolder, step, weight, ctx)
      ctx.emit({ event: 'stopped', ...ending() })
      return { ended: 'stopped', step }
    }
    await pause(name === 'slow' || name === 'paced' ? 50 : 1)
    step++
    weight += 1 / step
    const before = process.cpuUsage()
    ctx.emit({ event: 'step', step, epoch: step / 10, loss: 1 / step, accuracy: 0.5, learningRate: 0.1, gradientNorm: 1, imagesPerSecond: 1, memory: 1 })
    const { user, system } = process.cpuUsage(before)
    telling += user + system
    if (step === 25) misbehave(name)
    const asked = ctx.requests().has('save')
    if (asked || step % 10 === 0) save(runFolder, step, weight, ctx, asked)
  }
  const rate = train.learningRate
  if (rate !== null) ctx.emit({ event: 'evaluated', step, epoch: 4, split: 'validation', metrics: { 'validation/accuracy': rate }, best: true })
  ctx.emit({ event: 'finished', ...ending() })
  return { ended: 'finished', step }
}

function save(runFolder: string, step: number, weight: number, ctx: JobContext, asked = false): void {
  const saved = saveCheckpoint(runFolder, { step, epoch: step / 10, files: { 'w.bin': [new Uint8Array(8)] }, metrics: {}, best: false, asked, trainer: { weight } })
  ctx.emit({ event: 'checkpoint', step, path: saved.folder, best: false, sizeBytes: saved.sizeBytes, removed: [] })
}

function misbehave(how: string): void {
  if (how === 'abort') process.abort()
  if (how === 'kill') process.kill(process.pid, 'SIGKILL')
  if (how === 'exit') process.exit(3)
  if (how === 'memory') throw new Error('OOM when allocating tensor with shape[64,197,3072]')
  if (how === 'native-memory') {
    process.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
    process.abort()
  }
  if (how === 'app-error') throw new AppError('dataset-unreadable', 'The data cannot be read.', { field: 'data.from' })
  if (how === 'disk-full') throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  if (how === 'defect') throw new TypeError('undefined is not a function')
  if (how === 'later') setTimeout(() => { throw new Error('thrown in a timer') }, 0)
  if (how === 'hang') for (;;);
}

const runPredict: JobFunction<'predict'> = async ({ files }, ctx) => {
  for (const [index, file] of files.entries()) {
    misbehave(file)
    if (!(await ctx.turn())) throw new AppError('cancelled', 'Stopped.')
    ctx.progress('test', index + 1, files.length, file)
    if (file === 'slow') await pause(30_000)
  }
  return files.map(file => ({ file, top: [{ label: ctx.device, probability: 1 }], base: null, problem: null }))
}

async function takeTurns(ctx: JobContext, message: string): Promise<void> {
  for (let done = 0; done < STEPS; done++) {
    if (!(await ctx.turn())) throw new AppError('cancelled', 'Stopped.')
    ctx.progress('test', done, STEPS, message)
    await pause(10)
  }
}

const runTensors: JobFunction<'tensors'> = async (_, ctx) => {
  await takeTurns(ctx, 'a.weight')
  return []
}

const runEvaluate: JobFunction<'evaluate'> = async ({ runFolder }, ctx) => {
  await takeTurns(ctx, 'Evaluating')
  return { run: basename(runFolder), step: STEPS, split: 'test', samples: 1, metrics: {}, interval: { low: 0, high: 1 }, evaluation: 'step-000040-test-0' }
}

const jobs: { [K in JobKind]?: JobFunction<K> } = { train: runTrain, predict: runPredict, evaluate: runEvaluate, tensors: runTensors }
const jobOf = <K extends JobKind>(kind: K): JobFunction<K> => {
  const found = jobs[kind]
  if (!found) throw new AppError('internal', `The fake trainer cannot ${kind}.`)
  return found as JobFunction<K>
}
serveJobs({ load: async () => ({ device: 'fake' }), job: async kind => jobOf(kind) })
