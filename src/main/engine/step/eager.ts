import type { Recipe } from '../../contract/recipe'
import { createRandom } from '../data/random'
import type { Batch } from '../data/types'
import { headsOf, initialBuffers, run, viewsOf, type Model } from '../model'
import { evaluation } from '../net'
import { crossEntropy } from '../nn/ops'
import { adamw, clipped } from '../optim/adamw'
import { count } from '../sites'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { valueAndGradient } from './backward'
import type { Step, StepResult } from './step'

export interface StepOptions { seed: number; train: Recipe['train']; mean: readonly number[]; std: readonly number[] }

/** The training step run operation by operation. */
export function createEagerStep(model: Model, tuning: Tuning, start: Float32Array, options: StepOptions): Step {
  const { train } = options
  let values = tf.tensor1d(start) as Tensor
  let m = tf.zerosLike(values), v = tf.zerosLike(values)
  const buffers = initialBuffers(tuning)
  const decayed = tf.tensor1d(decayMask(tuning))
  const heads = headsOf(model.shape), size = model.shape.imageSize
  const seed = createRandom(options.seed, 'masks').int(2 ** 31 - 1)

  const input = (pixels: Uint8Array, images: number) => normalized(pixels, images, size, options)

  /** Loss, its gradient [P] and the number of right answers of one batch; kept tensors are the caller's. */
  function gradient(batch: Batch, maskSeed: number) {
    let correct: Tensor | undefined
    let measured = new Map<string, Tensor>()
    const labels = tf.tensor1d(batch.labels, 'int32')
    const loss = (flat: Tensor): Tensor => {
      const pass = { training: true, seed: [seed, maskSeed] as const, dropPath: train.dropPath, dropout: train.dropout, heads, values: viewsOf(flat, tuning.slots), buffers }
      const { output, net } = run(model, tuning, pass, input(batch.pixels, batch.labels.length))
      correct = tf.keep(tf.sum(tf.cast(tf.equal(tf.argMax(output, 1), labels), 'int32')))
      measured = new Map([...(net.propagator?.measured() ?? [])].map(([site, gain]) => [site, tf.keep(gain.clone())]))
      const penalty = net.propagator?.penalty()
      const entropy = crossEntropy(output, labels, train.labelSmoothing)
      return penalty ? tf.add(entropy, penalty) : entropy
    }
    const { value, gradient: grad } = valueAndGradient(loss, values)
    labels.dispose()
    return { value, grad, correct: correct!, measured }
  }

  function average(measured: Map<string, Tensor>): void {
    for (const [site, gain] of measured) {
      const name = `${site}.san_gamma`, before = buffers.get(name)
      if (before && tuning.san) {
        const decay = tuning.san.config.emaDecay
        const over = gain.rank === 3 ? tf.tidy(() => tf.mean(gain, [0, 1])) : gain
        buffers.set(name, tf.tidy(() => tf.add(tf.mul(before, decay), tf.mul(over, 1 - decay))))
        before.dispose()
        if (over !== gain) over.dispose()
      }
      gain.dispose()
    }
  }

  async function trainStep(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult> {
    const images = batches.reduce((n, b) => n + b.labels.length, 0)
    let total: Tensor | null = null, loss = 0, correct = 0
    for (const [i, batch] of batches.entries()) {
      const share = batch.labels.length / images
      const part = gradient(batch, step * train.accumulate + i)
      average(part.measured)
      loss += share * (part.value.dataSync()[0] ?? NaN)
      correct += part.correct.dataSync()[0] ?? 0
      total = accumulate(total, part.grad, share)
      tf.dispose([part.value, part.correct])
    }
    const gradientNorm = update(total!, step, learningRate)
    return { loss, correct, images, gradientNorm }
  }

  function update(total: Tensor, step: number, learningRate: number): number {
    const old = [values, m, v]
    const norm = tf.tidy(() => {
      const { gradient: g, norm: n } = clipped(total, train.clipNorm)
      const next = adamw(values, g, { m, v }, decayed, step + 1, learningRate, train)
      values = tf.keep(next.values)
      m = tf.keep(next.m)
      v = tf.keep(next.v)
      return n
    })
    const result = norm.dataSync()[0] ?? NaN
    tf.dispose([...old, norm, total])
    return result
  }

  return {
    train: trainStep,
    async predict(pixels, images) {
      const logits = tf.tidy(() => run(model, tuning, evaluation(heads, viewsOf(values, tuning.slots), buffers), input(pixels, images)).output)
      const out = await logits.data() as Float32Array
      logits.dispose()
      return out
    },
    async state() {
      const read = async (t: Tensor) => Float32Array.from(await t.data())
      const averages = await Promise.all([...buffers].map(async ([name, t]) => [name, await read(t)] as const))
      return { values: await read(values), m: await read(m), v: await read(v), buffers: new Map(averages) }
    },
    restore(state) {
      tf.dispose([values, m, v])
      values = tf.tensor1d(state.values)
      m = tf.tensor1d(state.m)
      v = tf.tensor1d(state.v)
      for (const [name, data] of state.buffers) {
        buffers.get(name)?.dispose()
        buffers.set(name, tf.tensor1d(data))
      }
    },
    dispose: () => tf.dispose([values, m, v, decayed, ...buffers.values()]),
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
