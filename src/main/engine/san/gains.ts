import { constantOf, tf, type Tensor } from '../tf'
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
    const counted = constantOf(y, notNearZero)
    const ratio = tf.clipByValue(tf.add(1, tf.div(d, awayFromZero(y))), 0.5, 2)
    const mean = tf.div(sumTokens(tf.mul(tf.sub(ratio, 1), counted)), tf.maximum(sumTokens(counted), 1))
    return tf.add(1, mean)
  },
  /** the gradient goes to the entries that are the median */
  median: (y, d) => {
    const ratio = tf.div(d, awayFromZero(y))
    return tf.add(1, sumTokens(tf.mul(ratio, constantOf(ratio, shareOfMedian))))
  },
}

const awayFromZero = (y: Tensor): Tensor =>
  tf.add(y, constantOf(y, t => tf.where(tf.less(tf.abs(t), 1e-12), tf.sub(1e-12, t), tf.zerosLike(t))))

/** 1 where an entry is more than a thousandth of its channel's root mean square, else 0. */
const notNearZero = (y: Tensor): Tensor =>
  tf.cast(tf.greater(tf.abs(y), tf.mul(tf.sqrt(tf.mean(tf.square(y), 1, true)), 1e-3)), 'float32')

/** [B, T, C]: 1 at the middle token of each channel, or ½ at the two in the middle, else 0. */
function shareOfMedian(ratio: Tensor): Tensor {
  const tokens = ratio.shape[1]!, k = Math.ceil((tokens + 1) / 2)
  const { indices } = tf.topk(ratio.transpose([0, 2, 1]), k, true)
  const at = (i: number): Tensor => tf.oneHot(indices.slice([0, 0, i], [-1, -1, 1]).squeeze([2]) as never, tokens)
  const middle = tokens % 2 === 1 ? at(k - 1) : tf.mul(tf.add(at(k - 1), at(k - 2)), 0.5)
  return middle.transpose([0, 2, 1])
}

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
