import { basename } from 'node:path'
import { AppError } from '../../contract/errors'
import { evalBatches, trainBatches } from '../../engine/data/batches'
import { freshProgress, train, type Progress, type TrainJob } from '../../engine/train/loop'
import { stepsPerEpoch } from '../../engine/train/schedule'
import { findCheckpoint, listCheckpoints, pruneCheckpoints, rewindCheckpoints, saveCheckpoint } from '../../store/checkpoints'
import type { PreparedData } from '../../store/data/prepare'
import type { JobFunction } from '../protocol'
import { openRunData } from './data'
import { openSession, type Session } from './session'
import { readProgress, readState, stateFiles } from './state'

export const runTrain: JobFunction<'train'> = async ({ runFolder, workspace, resume }, ctx) => {
  const session = await openSession(runFolder, ctx)
  const { manifest, resolved: { recipe } } = session
  const data = await openRunData({
    path: manifest.resolved.dataPath, choice: recipe.data, augment: recipe.train.augment, workspace, preprocessing: session.preprocessing,
    expected: { classes: manifest.resolved.classes, hash: manifest.resolved.dataHash },
  }, ctx)
  try {
    const progress = resume ? await restore(runFolder, session) : freshProgress()
    rewindCheckpoints(runFolder, progress.step)
    const job = createJob(runFolder, session, data)
    ctx.emit({
      event: 'started', run: manifest.id, folder: runFolder, step: progress.step, steps: job.perEpoch * recipe.train.epochs,
      stepsPerEpoch: job.perEpoch, epochs: recipe.train.epochs, device: ctx.device, pid: process.pid,
    })
    for (const message of [...session.opened.notices, ...data.notices]) ctx.emit({ event: 'notice', level: 'info', message })
    let ended: 'finished' | 'stopped' = 'stopped'
    for await (const event of train(job, progress, ctx.turn)) {
      if (event.event === 'finished') ended = 'finished'
      ctx.emit(event)
    }
    return { ended, step: progress.step }
  } finally {
    await data.close()
    session.dispose()
  }
}

/** Puts the last whole checkpoint into the step. */
async function restore(runFolder: string, { step, tuning }: Session): Promise<Progress> {
  const last = findCheckpoint(runFolder, 'last')
  step.restore(await readState(last, tuning))
  return readProgress(last)
}

function createJob(runFolder: string, session: Session, data: PreparedData): TrainJob {
  const { resolved: { recipe, learningRate }, step, tuning } = session
  const { batchSize, augment } = recipe.train
  const inEvaluation = recipe.evaluate.batchSize ?? batchSize
  if (data.train.size === 0) throw new AppError('dataset-invalid', `${data.name} has no training images left; choose other data or a smaller validation share.`, { field: 'data.split' })
  const perEpoch = stepsPerEpoch(data.train.size, recipe.train)
  return {
    run: basename(runFolder), recipe, learningRate, perEpoch, step,
    train: (epoch, from) => trainBatches(data.train, { batchSize, seed: recipe.seed, epoch, from, augment }),
    validation: data.validation.size > 0 ? () => evalBatches(data.validation, inEvaluation) : null,
    test: data.test.size > 0 ? () => evalBatches(data.test, inEvaluation) : null,
    async save(progress, best) {
      const files = await stateFiles(await step.state(), tuning)
      const saved = saveCheckpoint(runFolder, {
        step: progress.step, epoch: progress.step / perEpoch, files, metrics: progress.metrics, best, trainer: { ...progress },
      })
      return { path: saved.folder, sizeBytes: saved.sizeBytes, removed: pruneCheckpoints(runFolder, recipe.checkpoints.keep) }
    },
    async loadBest() {
      if (data.validation.size === 0 || !listCheckpoints(runFolder).some(({ state }) => state.best)) return null
      return readState(findCheckpoint(runFolder, 'best'), tuning)
    },
    clock: () => performance.now() / 1000,
    memory: () => ({ now: process.memoryUsage.rss(), peak: process.resourceUsage().maxRSS * 1024 }),
  }
}
