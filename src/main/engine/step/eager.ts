import { createRandom } from '../data/random'
import type { Batch } from '../data/types'
import { initialBuffers, type Model } from '../model'
import { globalNorm, ratesAt } from '../optim/adamw'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { decayMask, gradientOf, logitsOf, pixelTensor, updateOf, type BatchTensors, type StepOptions, type Trained } from './compute'
import { partOf, piecesOf } from './pieces'
import type { Moments, Step, StepResult, StepState, Vector, Weights } from './step'

/** The training step run operation by operation. */
export const createEagerStep = (model: Model, tuning: Tuning, start: Float32Array, options: StepOptions): Step => new EagerStep(model, tuning, start, options)

/** The first half of every mask's seed. */
export const maskSeed = (seed: number): number => createRandom(seed, 'masks').int(2 ** 31 - 1)

class EagerStep implements Step {
  private values: Tensor
  private m: Tensor
  private v: Tensor
  private readonly buffers: Map<string, Tensor>
  private readonly decayed: Tensor
  private readonly seed: number

  constructor(private readonly model: Model, private readonly tuning: Tuning, start: Float32Array, private readonly options: StepOptions) {
    this.values = tf.tensor1d(start)
    this.m = tf.zerosLike(this.values)
    this.v = tf.zerosLike(this.values)
    this.buffers = initialBuffers(tuning)
    this.decayed = tf.tensor1d(decayMask(tuning))
    this.seed = maskSeed(options.seed)
  }

  async train(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult> {
    const images = batches.reduce((n, b) => n + b.labels.length, 0)
    let total: Tensor | null = null, loss = 0, correct = 0
    for (const [i, batch] of batches.entries()) {
      const share = batch.labels.length / images
      const inputs = this.tensorsOf(batch, step * this.options.train.accumulate + i)
      const part = gradientOf(this.model, this.tuning, this.options, this.trained(), this.buffers, inputs)
      for (const [name, next] of part.buffers) this.replaceBuffer(name, next)
      loss += share * (part.loss.dataSync()[0] ?? NaN)
      correct += part.correct.dataSync()[0] ?? 0
      total = accumulated(total, part.gradients[0]!, share)
      tf.dispose([part.loss, part.correct, ...Object.values(inputs) as Tensor[]])
    }
    return { loss, correct, images, gradientNorm: this.update(total!, step, learningRate) }
  }

  async predict(pixels: Uint8Array, images: number): Promise<Float32Array> {
    const input = pixelTensor(pixels, images, this.model.shape.imageSize)
    const logits = logitsOf(this.model, this.tuning, this.options, this.trained(), this.buffers, input)
    const out = await logits.data() as Float32Array
    tf.dispose([input, logits])
    return out
  }

  async state(): Promise<StepState> {
    return { values: read(this.values), m: read(this.m), v: read(this.v), buffers: this.averages() }
  }

  averages(): Weights['buffers'] {
    return new Map([...this.buffers].map(([name, tensor]) => [name, read(tensor)]))
  }

  reader(vector: Vector): (slot: string) => Float32Array {
    const data = read(this[vector]), [all] = piecesOf(this.tuning.slots, Infinity)
    return slot => partOf(all!, slot, data)
  }

  restore({ values, m, v, buffers }: Weights & Partial<Moments>): void {
    for (const [vector, data] of Object.entries({ values, m, v }) as [Vector, Float32Array | undefined][]) {
      if (!data) continue
      this[vector].dispose()
      this[vector] = tf.tensor1d(data)
    }
    for (const [name, data] of buffers) this.replaceBuffer(name, tf.tensor1d(data))
  }

  dispose(): void {
    tf.dispose([this.values, this.m, this.v, this.decayed, ...this.buffers.values()])
  }

  private trained(): Trained {
    return [{ tensor: this.values, slots: this.tuning.slots }]
  }
  private tensorsOf({ pixels, labels }: Batch, number: number): BatchTensors {
    return { input: pixelTensor(pixels, labels.length, this.model.shape.imageSize), labels: tf.tensor1d(labels, 'int32'), seed: tf.tensor1d([this.seed, number], 'int32') }
  }
  private replaceBuffer(name: string, next: Tensor): void {
    this.buffers.get(name)?.dispose()
    this.buffers.set(name, next)
  }

  private update(gradient: Tensor, step: number, learningRate: number): number {
    const { train } = this.options
    const norm = globalNorm([gradient]), next = updateOf(this.values, { m: this.m, v: this.v }, this.decayed, gradient, norm, ratesAt(step + 1, learningRate, train), train)
    const before = norm.dataSync()[0] ?? NaN
    tf.dispose([this.values, this.m, this.v, norm, gradient])
    this.values = next.values
    this.m = next.m
    this.v = next.v
    return before
  }
}

const read = (tensor: Tensor): Float32Array => Float32Array.from(tensor.dataSync())

function accumulated(total: Tensor | null, gradient: Tensor, share: number): Tensor {
  if (share === 1) return gradient
  const sum = tf.tidy(() => total ? tf.add(total, tf.mul(gradient, share)) : tf.mul(gradient, share))
  tf.dispose(total ? [total, gradient] : [gradient])
  return sum
}
