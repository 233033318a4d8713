import type { Recipe } from '../../contract/recipe'
import { batchCount } from '../data/batches'

type Train = Recipe['train']

/** Optimiser steps per epoch; the last one of an epoch may see fewer images. */
export const stepsPerEpoch = (images: number, t: Pick<Train, 'batchSize' | 'accumulate'>): number => Math.ceil(batchCount(images, t.batchSize) / t.accumulate)

/** Images of a forward pass in evaluation. */
export const evaluationBatch = ({ evaluate, train }: Pick<Recipe, 'evaluate' | 'train'>): number => evaluate.batchSize ?? train.batchSize

/** Learning rate of step 0, 1, …: linear warm-up, then cosine over the whole run, warm-up counted inside. */
export function learningRateAt(step: number, perEpoch: number, t: Train, peak: number): number {
  const epoch = step / perEpoch
  if (epoch < t.warmupEpochs) return t.warmupLearningRate + (peak - t.warmupLearningRate) * (epoch / t.warmupEpochs)
  if (t.schedule === 'constant') return peak
  return t.minLearningRate + 0.5 * (peak - t.minLearningRate) * (1 + Math.cos((Math.PI * epoch) / t.epochs))
}
