import { join } from 'node:path'
import { SIDE, backbones, methods } from './grid.mjs'

const MANY = 1000

/** What Engram trains in a cell; it is stopped when enough was measured. */
export function recipeFor({ row, method }, { step, precision }, { backbone, images }) {
  const { batch } = backbones[row]
  const { recipe, learningRate } = methods[method]
  const inference = method === 'inference'
  return {
    seed: 0,
    step,
    precision,
    method: recipe,
    backbone: { from: backbone(row), imageSize: SIDE },
    // Without validation images the compiled step holds training alone, as torch.compile's does.
    data: { from: inference ? images : join(images, 'train'), split: { validation: 0 } },
    train: {
      epochs: MANY,
      batchSize: batch,
      learningRate,
      schedule: 'constant',
      // Augmented, nothing of an image is kept: every evaluation is a whole forward pass.
      augment: inference ? 'flip' : 'none',
      // The first evaluation sees the starting values.
      ...(inference ? { warmupEpochs: 1, warmupLearningRate: 0 } : { warmupEpochs: 0 }),
    },
    evaluate: { every: inference ? 1 : MANY * MANY },
    checkpoints: { everySteps: null },
  }
}
