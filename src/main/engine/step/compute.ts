import type { Recipe } from '../../contract/recipe'
import { headsOf, run, viewsOf, type Model } from '../model'
import { evaluation } from '../net'
import { crossEntropy } from '../nn/ops'
import { adamw, clipped, type AdamState, type Rates } from '../optim/adamw'
import { count, tensorName } from '../sites'
import { tf, type Tensor } from '../tf'
import type { Slot, Tuning } from '../tuning'
import { valueAndGradients } from './backward'
import type { Precision } from '../../contract/rates'

/** What a training step computes, as functions of tensors: run now by the eager step, recorded by the compiled one. */

/** precision: of the large matrix products; the eager step knows float32 alone. */
export interface StepOptions { seed: number; precision: Precision; train: Recipe['train']; mean: readonly number[]; std: readonly number[]; /** the stage that batches enter; 0 takes pixels */ from: number }
export type Buffers = ReadonlyMap<string, Tensor>
/** input float32: pixels [B, S, S, 3] of 0 … 255, or what enters a later stage; labels int32 [B], seed int32 [2]. */
export interface BatchTensors { input: Tensor; labels: Tensor; seed: Tensor }
/** Trained values as vectors, each with the tensors that lie in it one after another. */
export type Trained = readonly { tensor: Tensor; slots: readonly Slot[] }[]
/** gradients: one for each vector of trained values */
export interface Gradient { loss: Tensor; gradients: Tensor[]; correct: Tensor; buffers: Map<string, Tensor> }

const views = (trained: Trained): Map<string, Tensor> => new Map(trained.flatMap(({ tensor, slots }) => [...viewsOf(tensor, slots)]))

/** Mean loss of a batch, its gradients, the number of right answers, and the running averages moved on; `mark` is called where a stage begins, where the last one ends, and where the way back begins. */
export function gradientOf(model: Model, tuning: Tuning, options: StepOptions, trained: Trained, buffers: Buffers, batch: BatchTensors, mark?: () => void): Gradient {
  const { train } = options
  const moved = new Map<string, Tensor>()
  let correct: Tensor | undefined
  const loss = (): Tensor => {
    const pass = { training: true, seed: batch.seed, dropPath: train.dropPath, dropout: train.dropout, heads: headsOf(model.shape), values: views(trained), buffers, ...(mark ? { entering: mark } : {}) }
    const { output, net } = run(model, tuning, pass, entering(batch.input, options), options.from)
    mark?.()
    correct = tf.keep(tf.sum(tf.cast(tf.equal(tf.argMax(output, 1), batch.labels), 'float32')))
    for (const [site, gain] of net.propagator?.measured() ?? []) {
      const name = tensorName(site, 'san_gamma'), before = buffers.get(name)
      if (before) moved.set(name, tf.keep(averaged(before, gain, tuning.san!.config.emaDecay)))
    }
    const penalty = net.propagator?.penalty()
    const entropy = crossEntropy(output, batch.labels, train.labelSmoothing)
    net.release()
    const total = penalty ? tf.add(entropy, penalty) : entropy
    mark?.()
    return total
  }
  const { value, gradients } = valueAndGradients(loss, trained.map(({ tensor }) => tensor))
  return { loss: value, gradients, correct: correct!, buffers: moved }
}

const averaged = (before: Tensor, gain: Tensor, decay: number): Tensor =>
  tf.tidy(() => tf.add(tf.mul(before, decay), tf.mul(gain.rank === 3 ? tf.mean(gain, [0, 1]) : gain, 1 - decay)))

/** Clipping and AdamW; `norm` is that of all gradients before clipping. */
export const updateOf = (values: Tensor, state: AdamState, decayed: Tensor, gradient: Tensor, norm: Tensor, rates: Rates, train: Recipe['train']): { values: Tensor } & AdamState =>
  tf.tidy(() => ({ ...adamw(values, clipped(gradient, norm, train.clipNorm), state, decayed, rates, train) }))

/** Logits [B, C] with the running averages in place of measured gains. */
export const logitsOf = (model: Model, tuning: Tuning, options: StepOptions, trained: Trained, buffers: Buffers, input: Tensor): Tensor => tf.tidy(() => {
  const { output, net } = run(model, tuning, evaluation(headsOf(model.shape), views(trained), buffers), entering(input, options), options.from)
  net.release()
  return output
})

/** What enters the stage `options.from`, where nothing is trained before it. */
export const keptActivations = (model: Model, options: StepOptions, pixels: Tensor): Tensor =>
  tf.tidy(() => run(model, null, evaluation(headsOf(model.shape), new Map(), new Map()), normalized(pixels, options), 0, options.from).output)

const entering = (x: Tensor, options: StepOptions): Tensor => options.from === 0 ? normalized(x, options) : x

/** (x / 255 - mean) / std over the last axis. */
export const normalized = (pixels: Tensor, { mean, std }: { mean: readonly number[]; std: readonly number[] }): Tensor =>
  tf.tidy(() => tf.add(tf.mul(pixels, tf.tensor1d(std.map(s => 1 / (255 * s)))), tf.tensor1d(mean.map((x, c) => -x / std[c]!))))

export const pixelTensor = (pixels: Uint8Array, images: number, size: number): Tensor => tf.tensor4d(new Float32Array(pixels), [images, size, size, 3])

/** uint8 [images, size, size, 3] -> what a model sees. Call inside a tidy. */
export const modelInput = (pixels: Uint8Array, images: number, size: number, preprocessing: { mean: readonly number[]; std: readonly number[] }): Tensor =>
  normalized(pixelTensor(pixels, images, size), preprocessing)

/** 1 where weight decay applies, else 0; [P]. */
export function decayMask(tuning: Tuning): Float32Array {
  const mask = new Float32Array(tuning.slots.reduce((n, s) => n + count(s.shape), 0))
  let at = 0
  for (const slot of tuning.slots) {
    const size = count(slot.shape)
    if (slot.decay) mask.fill(1, at, at + size)
    at += size
  }
  return mask
}
