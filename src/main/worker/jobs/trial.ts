import { AppError } from '../../contract/errors'
import type { Recipe } from '../../contract/recipe'
import type { TrialReport } from '../../contract/trial'
import { epochOrder, trainBatches } from '../../engine/data/batches'
import type { Splits } from '../../engine/data/split'
import type { Batch } from '../../engine/data/types'
import { requireFinite } from '../../engine/train/loop'
import { learningRateAt, stepsPerEpoch } from '../../engine/train/schedule'
import type { PreparedData } from '../../store/data/prepare'
import type { JobFunction } from '../protocol'
import { openRunData } from './data'
import { openSession } from './session'
import { stepFor } from './trainStep'

const STEPS = 2

/** The first steps of a run, on the images that it would begin with; of the others none is read. */
export const runTrial: JobFunction<'trial'> = async ({ runFolder, workspace, cache }, ctx) => {
  const begun = performance.now()
  const session = await openSession(runFolder, ctx)
  const { manifest: { resolved }, resolved: { recipe, learningRate }, preprocessing } = session
  let images = 0, perEpoch = 1, samples: Int32Array[] = []
  const data = await openRunData({
    path: resolved.dataPath, choice: recipe.data, augment: recipe.train.augment, workspace, preprocessing, expected: { classes: resolved.classes, hash: resolved.dataHash },
    part: { cache, choose(splits) {
      images = splits.train.length + splits.validation.length + splits.test.length
      perEpoch = stepsPerEpoch(splits.train.length, recipe.train)
      samples = firstSamples(splits, recipe)
      return { train: Int32Array.from(new Set(samples.flatMap(step => [...step]))).sort(), validation: new Int32Array(0), test: new Int32Array(0) }
    } },
  }, ctx)
  try {
    const batches = await Promise.all(samples.map((step, at) => batchesOf(data, step, Math.floor(at / perEpoch), recipe)))
    if (batches.some(step => step.length === 0)) throw new AppError('dataset-invalid', `The first images of ${data.name} are all broken; look at them in Datasets.`, { field: 'data.from' })
    const sizes = { train: [...new Set(batches.flat().map(({ labels }) => labels.length))], predict: [] }
    const { step, precision } = await stepFor(session, sizes, images, null, workspace, ctx)
    try {
      const report: TrialReport = { device: ctx.device, precision, prepareSeconds: (performance.now() - begun) / 1000, steps: [], peakMemory: 0 }
      for (const [at, own] of batches.entries()) {
        if (!(await ctx.turn())) throw new AppError('cancelled', 'Stopped.')
        ctx.progress('train', at, batches.length, `Step ${at + 1}`)
        const start = performance.now(), rate = learningRateAt(at, perEpoch, recipe.train, learningRate)
        const { loss, gradientNorm } = await step.train(own, at, rate)
        requireFinite({ loss, gradientNorm }, at, rate, recipe)
        report.steps.push({ loss, seconds: (performance.now() - start) / 1000 })
      }
      return { ...report, peakMemory: process.resourceUsage().maxRSS * 1024 }
    } finally {
      step.dispose()
    }
  } finally {
    await data.close()
  }
}

/** Numbers of the samples of each step, in the order in which the run would take them. */
function firstSamples({ train }: Splits, { seed, train: { batchSize, accumulate, epochs } }: Recipe): Int32Array[] {
  const perEpoch = stepsPerEpoch(train.length, { batchSize, accumulate }), perStep = batchSize * accumulate
  return Array.from({ length: Math.min(STEPS, perEpoch * epochs) }, (_, step) => {
    const from = step % perEpoch * perStep
    return epochOrder(train.length, seed, Math.floor(step / perEpoch)).subarray(from, from + perStep).map(position => train[position]!)
  })
}

async function batchesOf({ train }: PreparedData, samples: Int32Array, epoch: number, { seed, train: { batchSize, augment } }: Recipe): Promise<Batch[]> {
  const places = new Map([...train.indices].map((index, position) => [index, position]))
  // broken images are left out
  const order = samples.filter(sample => places.has(sample)).map(sample => places.get(sample)!)
  const batches: Batch[] = []
  for await (const batch of trainBatches(train, { batchSize, seed, epoch, augment, order })) batches.push(batch)
  return batches
}
