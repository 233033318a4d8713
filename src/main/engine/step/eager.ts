import type { Recipe } from '../../contract/recipe'
import { createRandom } from '../data/random'
import type { Batch } from '../data/types'
import { headsOf, initialBuffers, run, viewsOf, type Model } from '../model'
import { evaluation } from '../net'
import { crossEntropy } from '../nn/ops'
import { adamw, clipped } from '../optim/adamw'
import { count, tensorName } from '../sites'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { valueAndGradient } from './backward'
import type { Step, StepResult, StepState } from './step'

export interface StepOptions { seed: number; train: Recipe['train']; mean: readonly number[]; std: readonly number[] }

/** The training step run operation by operation. */
export const createEagerStep = (model: Model, tuning: Tuning, start: Float32Array, options: StepOptions): Step => new EagerStep(model, tuning, start, options)

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
    this.seed = createRandom(options.seed, 'masks').int(2 ** 31 - 1)
  }

  async train(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult> {
    const images = batches.reduce((n, b) => n + b.labels.length, 0)
    let total: Tensor | null = null, loss = 0, correct = 0
    for (const [i, batch] of batches.entries()) {
      const share = batch.labels.length / images
      const part = this.gradient(batch, step * this.options.train.accumulate + i)
      this.average(part.measured)
      loss += share * (part.value.dataSync()[0] ?? NaN)
      correct += part.correct.dataSync()[0] ?? 0
      total = accumulate(total, part.gradient, share)
      tf.dispose([part.value, part.correct])
    }
    return { loss, correct, images, gradientNorm: this.update(total!, step, learningRate) }
  }

  async predict(pixels: Uint8Array, images: number): Promise<Float32Array> {
    const logits = tf.tidy(() => run(this.model, this.tuning, evaluation(headsOf(this.model.shape), this.views(this.values), this.buffers), this.input(pixels, images)).output)
    const out = await logits.data() as Float32Array
    logits.dispose()
    return out
  }

  async state(): Promise<StepState> {
    const read = async (t: Tensor) => Float32Array.from(await t.data())
    const averages = await Promise.all([...this.buffers].map(async ([name, t]) => [name, await read(t)] as const))
    return { values: await read(this.values), m: await read(this.m), v: await read(this.v), buffers: new Map(averages) }
  }

  restore(state: StepState): void {
    tf.dispose([this.values, this.m, this.v])
    this.values = tf.tensor1d(state.values)
    this.m = tf.tensor1d(state.m)
    this.v = tf.tensor1d(state.v)
    for (const [name, data] of state.buffers) this.replaceBuffer(name, tf.tensor1d(data))
  }

  dispose(): void {
    tf.dispose([this.values, this.m, this.v, this.decayed, ...this.buffers.values()])
  }

  private views(flat: Tensor): Map<string, Tensor> {
    return viewsOf(flat, this.tuning.slots)
  }
  private input(pixels: Uint8Array, images: number): Tensor {
    return normalized(pixels, images, this.model.shape.imageSize, this.options)
  }
  private replaceBuffer(name: string, next: Tensor): void {
    this.buffers.get(name)?.dispose()
    this.buffers.set(name, next)
  }

  /** Loss, its gradient [P], the number of right answers and measured gains of one batch; the tensors are the caller's. */
  private gradient(batch: Batch, maskSeed: number) {
    const { train } = this.options
    let correct: Tensor | undefined
    let measured = new Map<string, Tensor>()
    const labels = tf.tensor1d(batch.labels, 'int32')
    const loss = (flat: Tensor): Tensor => {
      const pass = { training: true, seed: [this.seed, maskSeed] as const, dropPath: train.dropPath, dropout: train.dropout, heads: headsOf(this.model.shape), values: this.views(flat), buffers: this.buffers }
      const { output, net } = run(this.model, this.tuning, pass, this.input(batch.pixels, batch.labels.length))
      correct = tf.keep(tf.sum(tf.cast(tf.equal(tf.argMax(output, 1), labels), 'int32')))
      measured = new Map([...(net.propagator?.measured() ?? [])].map(([site, gain]) => [site, tf.keep(gain.clone())]))
      const penalty = net.propagator?.penalty()
      const entropy = crossEntropy(output, labels, train.labelSmoothing)
      return penalty ? tf.add(entropy, penalty) : entropy
    }
    const result = valueAndGradient(loss, this.values)
    labels.dispose()
    return { ...result, correct: correct!, measured }
  }

  /** Moves the running averages of measured gains towards those of this batch. */
  private average(measured: Map<string, Tensor>): void {
    const decay = this.tuning.san?.config.emaDecay ?? 0
    for (const [site, gain] of measured) {
      const name = tensorName(site, 'san_gamma'), before = this.buffers.get(name)
      if (before) {
        const next = tf.tidy(() => tf.add(tf.mul(before, decay), tf.mul(gain.rank === 3 ? tf.mean(gain, [0, 1]) : gain, 1 - decay)))
        this.replaceBuffer(name, next)
      }
      gain.dispose()
    }
  }

  private update(total: Tensor, step: number, learningRate: number): number {
    const { train } = this.options
    const old = [this.values, this.m, this.v]
    const norm = tf.tidy(() => {
      const { gradient, norm: before } = clipped(total, train.clipNorm)
      const next = adamw(this.values, gradient, { m: this.m, v: this.v }, this.decayed, step + 1, learningRate, train)
      this.values = tf.keep(next.values)
      this.m = tf.keep(next.m)
      this.v = tf.keep(next.v)
      return before
    })
    const result = norm.dataSync()[0] ?? NaN
    tf.dispose([...old, norm, total])
    return result
  }
}

function accumulate(total: Tensor | null, gradient: Tensor, share: number): Tensor {
  if (share === 1) return gradient
  const sum = tf.tidy(() => total ? tf.add(total, tf.mul(gradient, share)) : tf.mul(gradient, share))
  tf.dispose(total ? [total, gradient] : [gradient])
  return sum
}

function decayMask(tuning: Tuning): Float32Array {
  const mask = new Float32Array(tuning.slots.reduce((n, s) => n + count(s.shape), 0))
  let at = 0
  for (const slot of tuning.slots) {
    const size = count(slot.shape)
    if (slot.decay) mask.fill(1, at, at + size)
    at += size
  }
  return mask
}

/** uint8 [B, S, S, 3] -> (x / 255 - mean) / std. Call inside a tidy. */
export function normalized(pixels: Uint8Array, images: number, size: number, { mean, std }: { mean: readonly number[]; std: readonly number[] }): Tensor {
  const raw = tf.tensor4d(new Float32Array(pixels), [images, size, size, 3])
  const scale = tf.tensor1d(std.map(s => 1 / (255 * s))), offset = tf.tensor1d(mean.map((x, c) => -x / std[c]!))
  return tf.add(tf.mul(raw, scale), offset)
}
