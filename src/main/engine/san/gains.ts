import { tf, type Tensor } from '../tf'
import type { SanConfig } from './config'
import { sumTokens } from '../nn/ops'

type Pool = SanConfig['pool']

/**
 * γ = Pool(y' / y), paper equation 6, with y' = y + d. y, d [..., C] -> [C], or [B, 1, C] with `perSample`.
 * Exactly 1 where d is 0, for every pool.
 */
export function poolGain(pool: Pool, y: Tensor, d: Tensor, perSample: boolean): Tensor {
  const width = y.shape[y.rank - 1]!
  const shape = perSample ? [y.shape[0]!, -1, width] : [1, -1, width]
  const gain = pools[pool](y.reshape(shape), d.reshape(shape)) // [B or 1, 1, C]
  return perSample ? gain : gain.reshape([width])
}

const pools: Record<Pool, (y: Tensor, d: Tensor) => Tensor> = {
  /** 1 + Σ d y / (Σ y² + ε): the least-squares gain of y' on y (docs/san.md A) */
  energy: (y, d) => {
    const squares = sumTokens(tf.square(y))
    const eps = tf.mul(tf.mean(squares), 1e-6 / y.shape[1]!)
    return tf.add(1, tf.div(sumTokens(tf.mul(d, y)), tf.add(squares, eps)))
  },
  mean: (y, d) => tf.add(1, tf.div(sumTokens(tf.div(d, awayFromZero(y))), y.shape[1]!)),
  /** the ratio clipped to [0.5, 2], over entries that are not nearly zero */
  clampedMean: (y, d) => {
    const floor = tf.mul(tf.sqrt(tf.mean(tf.square(y), 1, true)), 1e-3)
    const counted = tf.cast(tf.greater(tf.abs(y), floor), 'float32')
    const ratio = tf.clipByValue(tf.add(1, tf.div(d, awayFromZero(y))), 0.5, 2)
    const mean = tf.div(sumTokens(tf.mul(tf.sub(ratio, 1), counted)), tf.maximum(sumTokens(counted), 1))
    return tf.add(1, mean)
  },
  median: (y, d) => {
    const ratio = tf.div(d, awayFromZero(y)).transpose([0, 2, 1]) // [B, C, T]
    const length = ratio.shape[2]!, k = Math.ceil((length + 1) / 2)
    const { indices } = tf.topk(ratio, k, true)
    // the gradient goes to the entries that are the median: topk itself has none
    const at = (i: number) => tf.oneHot(indices.slice([0, 0, i], [-1, -1, 1]).squeeze([2]) as never, length)
    const middle = length % 2 === 1 ? at(k - 1) : tf.mul(tf.add(at(k - 1), at(k - 2)), 0.5)
    return tf.add(1, tf.sum(tf.mul(ratio, middle), 2, true)).transpose([0, 2, 1])
  },
}

const awayFromZero = (y: Tensor): Tensor => tf.where(tf.less(tf.abs(y), 1e-12), tf.fill(y.shape, 1e-12), y)

/** 1 + ⟨W'_j − W_j, W_j⟩ / ‖W_j‖² per row: the gain of the weights themselves, data free. */
export const weightGain = (adapted: Tensor, frozen: Tensor): Tensor =>
  tf.add(1, tf.div(tf.sum(tf.mul(tf.sub(adapted, frozen), frozen), 1), tf.add(tf.sum(tf.square(frozen), 1), 1e-12)))

/** ‖W'_j‖ / ‖W_j‖ per row. */
export const magnitudeGain = (adapted: Tensor, frozen: Tensor): Tensor => {
  const norms = (w: Tensor) => tf.sqrt(tf.add(tf.sum(tf.square(w), 1), 1e-24))
  return tf.div(norms(adapted), norms(frozen))
}

/** 1-D linear interpolation with aligned corners, as the 2024 code resizes 3d -> d. */
export function resizeVector(g: Tensor, to: number): Tensor {
  const from = g.shape[0]!
  if (from === to) return g
  const rows = new Float32Array(to * from)
  for (let i = 0; i < to; i++) {
    const x = to === 1 ? 0 : (i * (from - 1)) / (to - 1), left = Math.min(from - 2, Math.floor(x))
    rows[i * from + left] = 1 - (x - left)
    rows[i * from + left + 1] = x - left
  }
  return tf.matMul(tf.tensor2d(rows, [to, from]), g.reshape([from, 1]) as never).reshape([to])
}

/** Σ ‖γ − 1‖², paper equation 13 without its λ. */
export const gainPenalty = (gains: readonly Tensor[]): Tensor => tf.addN(gains.map(g => tf.sum(tf.square(tf.sub(g, 1)))))
