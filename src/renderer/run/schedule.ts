import type { Recipe } from '@contract/recipe'

/** The learning rate planned for a step: linear warm-up, then constant or a cosine over the whole run, warm-up counted inside. */
export function learningRateAt(step: number, train: Recipe['train'], peak: number, run: { stepsPerEpoch: number }): number {
  const epoch = step / run.stepsPerEpoch
  if (epoch < train.warmupEpochs) return train.warmupLearningRate + (peak - train.warmupLearningRate) * epoch / train.warmupEpochs
  if (train.schedule === 'constant') return peak
  return train.minLearningRate + (peak - train.minLearningRate) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, epoch / train.epochs)))
}
