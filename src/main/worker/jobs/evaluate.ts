import { basename } from 'node:path'
import { wilson } from '../../contract/statistics'
import { batchSizes, evalBatches } from '../../engine/data/batches'
import type { Batch } from '../../engine/data/types'
import type { Step } from '../../engine/step/step'
import { measure } from '../../engine/train/loop'
import { evaluationBatch } from '../../engine/train/schedule'
import type { Predicted } from '../../engine/train/predictions'
import { findCheckpoint } from '../../store/checkpoints'
import { AppError } from '../../contract/errors'
import type { PreparedData } from '../../store/data/prepare'
import type { JobContext, JobFunction } from '../protocol'
import { openRunData } from './data'
import { keepPredictions } from './keep'
import { openSession, type Session } from './session'
import { readProgress, readWeights } from './state'
import { forwardStep } from './trainStep'

export const runEvaluate: JobFunction<'evaluate'> = async ({ runFolder, workspace, checkpoint, data: path }, ctx) => {
  const session = await openSession(runFolder, ctx)
  const at = findCheckpoint(runFolder, checkpoint)
  const data = await openEvaluationData(session, path, workspace, ctx)
  let step: Step | null = null
  try {
    const { split, images } = heldOut(data)
    const size = evaluationBatch(session.resolved.recipe)
    step = await forwardStep(session, batchSizes(images.size, size), readProgress(at).precision)
    step.restore(await readWeights(at, session.tuning))
    const batches = evalBatches(images, size), predictions: Predicted[] = []
    const measured = await measure(step, told(batches, images.size, ctx), split, ctx.turn, predictions)
    if (!measured) throw new AppError('cancelled', 'The evaluation was stopped.')
    const { metrics, samples } = measured
    const evaluation = keepPredictions(runFolder, data, { step: at.state.step, split, metrics, predictions })
    const interval = wilson(Math.round(metrics[`${split}/accuracy`]! * samples), samples)
    return { run: basename(runFolder), step: at.state.step, split, samples, metrics, interval, evaluation }
  } finally {
    await data.close()
    step?.dispose()
    session.model.dispose()
  }
}

async function* told(batches: AsyncIterable<Batch>, total: number, ctx: JobContext): AsyncGenerator<Batch> {
  let done = 0
  for await (const batch of batches) {
    yield batch
    ctx.progress('test', done += batch.labels.length, total, 'Evaluating')
  }
}

/** The run's own data, or other data with the same classes. */
export function openEvaluationData(session: Session, path: string | null, workspace: string, ctx: JobContext): Promise<PreparedData> {
  const { manifest, resolved, preprocessing } = session
  const choice = path === null ? resolved.recipe.data : { ...resolved.recipe.data, split: { ...resolved.recipe.data.split, validation: 0, test: 0 }, limit: null }
  return openRunData({
    path: path ?? manifest.resolved.dataPath, choice, augment: 'none', workspace, preprocessing, expected: { classes: manifest.resolved.classes, hash: null },
  }, ctx)
}

/** The images furthest from training that there are. */
export function heldOut(data: PreparedData): { split: 'test' | 'validation' | 'train'; images: PreparedData['test'] } {
  const split = (['test', 'validation'] as const).find(name => data[name].size > 0) ?? 'train'
  return { split, images: data[split] }
}
