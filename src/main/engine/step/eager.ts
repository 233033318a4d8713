import { createRandom } from '../data/random'
import type { Batch } from '../data/types'
import { initialBuffers, type Model } from '../model'
import { globalNorm, ratesAt } from '../optim/adamw'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { decayMask, gradientOf, logitsOf, pixelTensor, updateOf, type BatchTensors, type StepOptions, type Trained } from './compute'
import { ALONE, gathered, joined, piecesOf, readerOf, type Piece } from './pieces'
import type { Moments, Step, StepResult, StepState, Vector, Weights } from './step'

/** The training step run operation by operation; trained tensors of `alone` elements and more are vectors of their own. */
export const createEagerStep = (model: Model, tuning: Tuning, start: Float32Array, options: StepOptions, alone = ALONE): Step => new EagerStep(model, tuning, start, options, alone)

/** The first half of every mask's seed. */
export const maskSeed = (seed: number): number => createRandom(seed, 'masks').int(2 ** 31 - 1)

class EagerStep implements Step {
  private readonly pieces: readonly Piece[]
  /** one tensor for each piece */
  private readonly vectors: Record<Vector, Tensor[]>
  private readonly buffers: Map<string, Tensor>
  private readonly decayed: Tensor[]
  private readonly seed: number

  constructor(private readonly model: Model, private readonly tuning: Tuning, start: Float32Array, private readonly options: StepOptions, alone: number) {
    const pieces = this.pieces = piecesOf(tuning.slots, alone), mask = decayMask(tuning)
    this.vectors = { values: inPieces(start, pieces), m: pieces.map(({ size }) => tf.zeros([size])), v: pieces.map(({ size }) => tf.zeros([size])) }
    this.buffers = initialBuffers(tuning)
    this.decayed = inPieces(mask, pieces)
    this.seed = maskSeed(options.seed)
  }

  async train(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult> {
    const images = batches.reduce((n, b) => n + b.labels.length, 0)
    let total: Tensor[] | null = null, loss = 0, correct = 0
    for (const [i, batch] of batches.entries()) {
      const share = batch.labels.length / images
      const inputs = this.tensorsOf(batch, step * this.options.train.accumulate + i)
      const part = gradientOf(this.model, this.tuning, this.options, this.trained(), this.buffers, inputs)
      for (const [name, next] of part.buffers) this.replaceBuffer(name, next)
      loss += share * (part.loss.dataSync()[0] ?? NaN)
      correct += part.correct.dataSync()[0] ?? 0
      const before: Tensor[] | null = total
      total = part.gradients.map((gradient, k) => accumulated(before?.[k] ?? null, gradient, share))
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
    const whole = (vector: Vector) => joined(this.pieces, i => read(this.vectors[vector][i]!))
    return { values: whole('values'), m: whole('m'), v: whole('v'), buffers: this.averages() }
  }

  averages(): Weights['buffers'] {
    return new Map([...this.buffers].map(([name, tensor]) => [name, read(tensor)]))
  }

  reader(vector: Vector): (slot: string) => Float32Array {
    return readerOf(this.pieces, i => read(this.vectors[vector][i]!))
  }

  restore({ values, m, v, buffers }: Weights & Partial<Moments>): void {
    for (const [vector, flat] of Object.entries({ values, m, v }) as [Vector, Float32Array | undefined][]) {
      if (!flat) continue
      tf.dispose(this.vectors[vector])
      this.vectors[vector] = inPieces(flat, this.pieces)
    }
    for (const [name, data] of buffers) this.replaceBuffer(name, tf.tensor1d(data))
  }

  dispose(): void {
    tf.dispose([...Object.values(this.vectors).flat(), ...this.decayed, ...this.buffers.values()])
  }

  private trained(): Trained {
    return this.pieces.map(({ slots }, i) => ({ tensor: this.vectors.values[i]!, slots }))
  }
  private tensorsOf({ pixels, labels }: Batch, number: number): BatchTensors {
    return { input: pixelTensor(pixels, labels.length, this.model.shape.imageSize), labels: tf.tensor1d(labels, 'int32'), seed: tf.tensor1d([this.seed, number], 'int32') }
  }
  private replaceBuffer(name: string, next: Tensor): void {
    this.buffers.get(name)?.dispose()
    this.buffers.set(name, next)
  }

  private update(gradients: readonly Tensor[], step: number, learningRate: number): number {
    const { train } = this.options, { values, m, v } = this.vectors
    const norm = globalNorm(gradients), before = norm.dataSync()[0] ?? NaN
    for (const [i, gradient] of gradients.entries()) {
      const next = updateOf(values[i]!, { m: m[i]!, v: v[i]! }, this.decayed[i]!, gradient, norm, ratesAt(step + 1, learningRate, train), train)
      tf.dispose([values[i]!, m[i]!, v[i]!, gradient])
      values[i] = next.values
      m[i] = next.m
      v[i] = next.v
    }
    norm.dispose()
    return before
  }
}

const read = (tensor: Tensor): Float32Array => Float32Array.from(tensor.dataSync())
const inPieces = (flat: Float32Array, pieces: readonly Piece[]): Tensor[] => pieces.map(piece => tf.tensor1d(gathered(flat, piece)))

function accumulated(total: Tensor | null, gradient: Tensor, share: number): Tensor {
  if (share === 1) return gradient
  const sum = tf.tidy(() => total ? tf.add(total, tf.mul(gradient, share)) : tf.mul(gradient, share))
  tf.dispose(total ? [total, gradient] : [gradient])
  return sum
}
