import { z } from 'zod'

const fraction = z.number().min(0).max(1)
/** Below 1 a share, from 1 on a count. */
const held = z.number().min(0).refine(n => n < 1 || Number.isInteger(n), 'from 1 on it is a count of images, so a whole number')
const positiveInt = z.int().min(1)
const meta = (title: string, description: string, unit?: string) => ({ title, description, ...(unit ? { unit } : {}) })

/** Which backbone, and how it is shaped for this run. */
export const BackboneChoice = z.strictObject({
  from: z.string().min(1).meta(meta('Backbone', 'A folder or file with weights, or an id from the catalog.')),
  imageSize: positiveInt.nullable().default(null).meta(meta('Image size', 'Side of the square the model sees; position embeddings are interpolated. Empty keeps the size it was trained at.', 'px')),
  pool: z.enum(['auto', 'cls', 'mean', 'cls+mean']).default('auto').meta(meta('Pooling', 'How patch tokens become one feature vector. Auto keeps the checkpoint\'s own.')),
})

/** Which images, and how they become splits. */
export const DataChoice = z.strictObject({
  from: z.string().min(1).meta(meta('Data', 'A folder, zip, parquet, idx or list file, or an id from the catalog.')),
  split: z.strictObject({
    validation: held.default(0.2).meta(meta('Validation', 'Share of the training images held out when the data brings no validation split; a whole number from 1 on is a count.')),
    test: held.default(0).meta(meta('Test', 'Share held out for the test when the data brings no test split; a whole number from 1 on is a count.')),
    seed: z.int().min(0).default(0).meta(meta('Split seed', 'Which images are held out.')),
  }).prefault({}),
  limit: positiveInt.nullable().default(null).meta(meta('Limit', 'Use at most this many training images, the same number of each class as far as possible.', 'images')),
  interpolation: z.enum(['bicubic', 'bilinear']).default('bicubic').meta(meta('Interpolation', 'How images are resized, antialiased.')),
  resize: z.enum(['squash', 'crop']).default('squash').meta(meta('Resize', 'Squash ignores the aspect ratio (VTAB); crop resizes the short side and cuts the centre.')),
  cropFraction: z.number().gt(0).max(1).default(0.9).meta(meta('Crop fraction', 'Part of the resized short side that the centre crop keeps.')),
  normalize: z.union([z.literal('auto'), z.strictObject({ mean: z.array(z.number()).length(3), std: z.array(z.number().positive()).length(3) })])
    .default('auto').meta(meta('Normalisation', 'Auto takes the backbone\'s own mean and deviation.')),
})

export const Augment = z.enum(['none', 'flip', 'crop', 'crop+flip'])

/** How it is trained. A null learning rate means the method's own default. */
export const TrainChoice = z.strictObject({
  epochs: positiveInt.default(10).meta(meta('Epochs', 'Passes over the training images.', 'epochs')),
  batchSize: positiveInt.default(32).meta(meta('Batch size', 'Images per forward pass.', 'images')),
  accumulate: positiveInt.default(1).meta(meta('Accumulate', 'Batches per optimiser step; the effective batch is the product.', 'batches')),
  learningRate: z.number().positive().nullable().default(null).meta(meta('Learning rate', 'Peak of the schedule. Empty takes the method\'s default.')),
  minLearningRate: z.number().min(0).default(1e-8).meta(meta('Final learning rate', 'Where the cosine ends.')),
  warmupEpochs: z.number().min(0).default(1).meta(meta('Warm-up', 'Linear rise, counted inside the epochs.', 'epochs')),
  warmupLearningRate: z.number().min(0).default(1e-7).meta(meta('Warm-up start', 'Where the linear rise begins.')),
  schedule: z.enum(['cosine', 'constant']).default('cosine').meta(meta('Schedule', 'Shape of the learning rate after the warm-up.')),
  weightDecay: z.number().min(0).default(0.05).meta(meta('Weight decay', 'Decoupled (AdamW); never on one-dimensional tensors.')),
  beta1: fraction.default(0.9).meta(meta('Beta 1', 'Decay of the first moment.')),
  beta2: fraction.default(0.999).meta(meta('Beta 2', 'Decay of the second moment.')),
  epsilon: z.number().positive().default(1e-8).meta(meta('Epsilon', 'Added to the root of the second moment.')),
  clipNorm: z.number().positive().nullable().default(null).meta(meta('Clip norm', 'Largest global gradient norm; empty is no clipping.')),
  labelSmoothing: z.number().min(0).max(0.999).default(0).meta(meta('Label smoothing', 'Share of the target spread over all classes.')),
  dropPath: z.number().min(0).max(0.999).default(0).meta(meta('Drop path', 'Stochastic depth: rate at the last block, rising linearly from 0.')),
  dropout: z.number().min(0).max(0.999).default(0).meta(meta('Dropout', 'On the output of the attention projection and the MLP.')),
  recompute: z.boolean().default(false).meta(meta('Recompute activations', 'Computes each block once more on the way back instead of keeping what is inside it: less memory, about a third more time.')),
  augment: Augment.default('none').meta(meta('Augmentation', 'Random changes of the training images: horizontal flip (p = 0.5), random resized crop (8 to 100 % of the area).')),
})

export const EvaluateChoice = z.strictObject({
  every: z.union([z.literal('epoch'), positiveInt]).default('epoch').meta(meta('Evaluate', 'After each epoch, or every so many steps.')),
  best: z.enum(['validation/accuracy', 'validation/loss']).default('validation/accuracy').meta(meta('Best by', 'The metric that picks the best checkpoint.')),
  patience: positiveInt.nullable().default(null).meta(meta('Early stopping', 'Stop after this many evaluations without a new best; empty never stops early.', 'evaluations')),
  batchSize: positiveInt.nullable().default(null).meta(meta('Evaluation batch', 'Images per forward pass in evaluation; empty is the training batch size.', 'images')),
})

export const CheckpointChoice = z.strictObject({
  everySteps: positiveInt.nullable().default(100).meta(meta('Save every', 'Steps between checkpoints; a killed run resumes from the newest. Empty saves only after each evaluation.', 'steps')),
  keep: positiveInt.default(3).meta(meta('Keep', 'How many checkpoints stay besides the best and the last.', 'checkpoints')),
})

/** Method and SAN fields are checked against the method's own declaration (engine/methods), not here. */
export const MethodChoice = z.looseObject({
  type: z.string().min(1).meta(meta('Method', 'A method id from the catalog.')),
  san: z.record(z.string(), z.unknown()).nullable().default(null),
})
export type MethodChoice = z.infer<typeof MethodChoice>

/** The one document a run is made from; the wizard edits it, the command line runs it, the run folder freezes it. */
export const Recipe = z.strictObject({
  name: z.string().max(120).default('').meta(meta('Name', 'Empty makes one from backbone, data and method.')),
  seed: z.int().min(0).max(2 ** 31 - 1).default(0).meta(meta('Seed', 'Fixes initial values, order, augmentation and masks.')),
  precision: z.enum(['auto', 'float32', 'bfloat16']).default('auto').meta(meta('Precision', 'Format of frozen weights and large matrix products; auto measures both on this machine. Norms, softmax, loss and trained values stay in float32.')),
  step: z.enum(['auto', 'eager', 'compiled']).default('auto').meta(meta('Step', 'Compiled records the training step once and runs it as one call; eager runs it operation by operation. Auto compiles where it can.')),
  backbone: BackboneChoice,
  data: DataChoice,
  method: MethodChoice,
  train: TrainChoice.prefault({}),
  evaluate: EvaluateChoice.prefault({}),
  checkpoints: CheckpointChoice.prefault({}),
})
export type Recipe = z.infer<typeof Recipe>
export type RecipeInput = z.input<typeof Recipe>
