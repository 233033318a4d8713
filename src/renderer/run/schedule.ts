import type { Recipe } from '@contract/recipe'

/** The learning rate planned for a step: linear warm-up, then cosine or constant. */
export function learningRateAt(step: number, train: Recipe['train'], peak: number, run: { steps: number; stepsPerEpoch: number }): number {
  const warm = Math.round(train.warmupEpochs * run.stepsPerEpoch)
  if (step < warm) return train.warmupLearningRate + (peak - train.warmupLearningRate) * step / warm
  if (train.schedule === 'constant') return peak
  const done = Math.min(1, (step - warm) / Math.max(1, run.steps - warm))
  return train.minLearningRate + (peak - train.minLearningRate) * 0.5 * (1 + Math.cos(Math.PI * done))
}
