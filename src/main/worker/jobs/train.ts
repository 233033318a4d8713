import { basename } from 'node:path'
import { AppError } from '../../contract/errors'
import type { Recipe } from '../../contract/recipe'
import { batchSizes, evalBatches, trainBatches } from '../../engine/data/batches'
import type { Sizes } from '../../engine/step/trace'
import type { Step } from '../../engine/step/step'
import { freshProgress, train, type TrainJob } from '../../engine/train/loop'
import { evaluationBatch, stepsPerEpoch } from '../../engine/train/schedule'
import { findCheckpoint, listCheckpoints, pruneCheckpoints, rewindCheckpoints, saveCheckpoint } from '../../store/checkpoints'
import type { PreparedData } from '../../store/data/prepare'
import { collectGarbage } from '../garbage'
import type { JobContext, JobFunction } from '../protocol'
import { openRunData } from './data'
import { createGainRecorder, type GainRecorder } from './gains'
import { keepPredictions } from './keep'
import { openSession, type Session } from './session'
import { begin, readProgress, readState, readWeights, stateFiles } from './state'
import { stepFor } from './trainStep'

export const runTrain: JobFunction<'train'> = async ({ runFolder, workspace, resume }, ctx) => {
  const session = await openSession(runFolder, ctx)
  const { manifest, resolved: { recipe } } = session
  const data = await openRunData({
    path: manifest.resolved.dataPath, choice: recipe.data, augment: recipe.train.augment, workspace, preprocessing: session.preprocessing,
    expected: { classes: manifest.resolved.classes, hash: manifest.resolved.dataHash },
  }, ctx)
  const last = resume ? findCheckpoint(runFolder, 'last') : null
  const { step, precision, notices } = await stepFor(session, sizesOf(recipe, data), data.train.size + data.validation.size + data.test.size, last && readProgress(last).precision, workspace, ctx)
  try {
    if (last) step.restore(await readState(last, session.tuning))
    else if (await begin(step, runFolder, session.tuning)) notices.push(`Begins with the weights of step ${manifest.origin?.restartStep} of ${manifest.origin?.restartOf}.`)
    const progress = last ? readProgress(last) : freshProgress(precision)
    rewindCheckpoints(runFolder, progress.step)
    const gains = createGainRecorder(runFolder, session, message => ctx.emit({ event: 'notice', level: 'warning', message }))
    gains.rewind(progress.step)
    await gains.record(progress.step, () => step.state())
    const job = createJob(runFolder, session, step, data, gains, ctx)
    ctx.emit({
      event: 'started', run: manifest.id, folder: runFolder, step: progress.step, steps: job.perEpoch * recipe.train.epochs,
      stepsPerEpoch: job.perEpoch, epochs: recipe.train.epochs, device: ctx.device, pid: process.pid,
    })
    collectGarbage()
    for (const message of [...session.opened.notices, ...data.notices, ...notices]) ctx.emit({ event: 'notice', level: 'info', message })
    let ended: 'finished' | 'stopped' = 'stopped'
    for await (const event of train(job, progress, ctx.turn)) {
      if (event.event === 'finished') ended = 'finished'
      ctx.emit(event)
    }
    return { ended, step: progress.step }
  } finally {
    await data.close()
    step.dispose()
  }
}

function sizesOf(recipe: Recipe, data: PreparedData): Sizes {
  const size = evaluationBatch(recipe)
  return { train: batchSizes(data.train.size, recipe.train.batchSize), predict: [...batchSizes(data.validation.size, size), ...batchSizes(data.test.size, size)] }
}

function createJob(runFolder: string, session: Session, step: Step, data: PreparedData, gains: GainRecorder, ctx: Pick<JobContext, 'requests'>): TrainJob {
  const { resolved: { recipe, learningRate }, tuning } = session
  const { batchSize, augment } = recipe.train
  const inEvaluation = evaluationBatch(recipe)
  if (data.train.size === 0) throw new AppError('dataset-invalid', `${data.name} has no training images left; choose other data or a smaller validation share.`, { field: 'data.split' })
  const perEpoch = stepsPerEpoch(data.train.size, recipe.train)
  return {
    run: basename(runFolder), recipe, learningRate, perEpoch, step,
    train: (epoch, from) => trainBatches(data.train, { batchSize, seed: recipe.seed, epoch, from, augment }),
    validation: data.validation.size > 0 ? () => evalBatches(data.validation, inEvaluation) : null,
    test: data.test.size > 0 ? () => evalBatches(data.test, inEvaluation) : null,
    requests: ctx.requests,
    async save(progress, best, asked) {
      const saved = saveCheckpoint(runFolder, {
        step: progress.step, epoch: progress.step / perEpoch, files: stateFiles(step, tuning), metrics: progress.metrics, best, asked, trainer: { ...progress },
      })
      await gains.record(progress.step, () => step.state(), best || progress.step === perEpoch * recipe.train.epochs)
      collectGarbage()
      return { path: saved.folder, sizeBytes: saved.sizeBytes, removed: pruneCheckpoints(runFolder, recipe.checkpoints.keep) }
    },
    async loadBest() {
      if (data.validation.size === 0 || !listCheckpoints(runFolder).some(({ state }) => state.best)) return null
      return readWeights(findCheckpoint(runFolder, 'best'), tuning)
    },
    keepTest: (at, metrics, predictions) => void keepPredictions(runFolder, data, { step: at, split: 'test', metrics, predictions }),
    clock: () => performance.now() / 1000,
    memory: () => ({ now: process.memoryUsage.rss(), peak: process.resourceUsage().maxRSS * 1024 }),
  }
}
