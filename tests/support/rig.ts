import './tensorflow'
import type { VitShape } from '../../src/main/contract/model'
import { Recipe } from '../../src/main/contract/recipe'
import { createRandom } from '../../src/main/engine/data/random'
import { initialBuffers, initialValues, loadModel, replacedTensors, run, viewsOf, type Model } from '../../src/main/engine/model'
import { evaluation } from '../../src/main/engine/net'
import { parseMethod } from '../../src/main/engine/recipe'
import { sites as vitSites } from '../../src/main/engine/backbones/vit'
import { modelInput } from '../../src/main/engine/step/compute'
import { createEagerStep } from '../../src/main/engine/step/eager'
import type { Step } from '../../src/main/engine/step/step'
import { tf, type Tensor } from '../../src/main/engine/tf'
import { createTuning, type Tuning } from '../../src/main/engine/tuning'
import { randomWeights, reader, tinyShape } from './tinyVit'

export const plainPixels = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
export const trainDefaults = (more: Record<string, unknown> = {}) =>
  Recipe.parse({ backbone: { from: 'x' }, data: { from: 'x' }, method: { type: 'full' }, train: more }).train

export interface Rig { model: Model; tuning: Tuning; start: Float32Array; step(train?: Record<string, unknown>, from?: Float32Array): Step; dispose(): void }

/** A method on a tiny ViT, ready to run. */
export async function createRig(method: Record<string, unknown>, shape: VitShape = tinyShape, seed = 3): Promise<Rig> {
  const read = reader(randomWeights(shape))
  const settings = parseMethod({ san: null, ...method } as never)
  const tuning = createTuning(vitSites(shape), settings.method, settings.config, settings.san, settings.sites)
  const model = await loadModel(shape, read, replacedTensors(tuning))
  const start = await initialValues(tuning, seed, read)
  return {
    model, tuning, start,
    step: (train = {}, from = start) => createEagerStep(model, tuning, from, { seed, precision: 'float32', from: 0, train: trainDefaults(train), ...plainPixels }, 100),
    dispose: () => model.dispose(),
  }
}

/** The trained vector moved a little away from where it starts, so that every hook has an effect. */
export function shaken(start: Float32Array, size = 0.05, seed = 11): Float32Array {
  const random = createRandom(seed, 'shake')
  return start.map(x => x + size * random.normal())
}

export function logitsOf(rig: Rig, values: Float32Array, pixels: Uint8Array, images: number, buffers = initialBuffers(rig.tuning)): Float32Array {
  return tf.tidy(() => {
    const flat = tf.tensor1d(values)
    const pass = evaluation(rig.model.shape.heads, viewsOf(flat, rig.tuning.slots), buffers)
    return run(rig.model, rig.tuning, pass, modelInput(pixels, images, rig.model.shape.imageSize, plainPixels)).output.dataSync() as Float32Array
  })
}

/** Largest difference over the largest magnitude. */
export function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0, size = 0
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!))
    size = Math.max(size, Math.abs(b[i]!))
  }
  return Number.isNaN(difference) ? Infinity : difference / Math.max(size, 1e-12)
}
export type { Tensor }
