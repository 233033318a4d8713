import { tf, type Tensor } from '../tf'

/** Layers written as plain functions; hand-written gradients where the composed ones cost more. */

const SQRT1_2 = Math.SQRT1_2, LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI)

/** x [..., i], w [o, i] -> x wᵀ [..., o]. */
export function linear(x: Tensor, w: Tensor): Tensor {
  const [out, inn] = w.shape as [number, number]
  if (x.rank === 2) return tf.matMul(x, w, false, true)
  return tf.matMul(x.reshape([-1, inn]), w, false, true).reshape([...x.shape.slice(0, -1), out])
}

/** (x - mean) / sqrt(var + epsilon) over the last axis. */
export function normalize(x: Tensor, epsilon: number): Tensor {
  return tf.tidy(() => tf.customGrad((input: unknown, save: unknown) => {
    const t = input as Tensor
    const centered = tf.sub(t, tf.mean(t, -1, true))
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon))
    const value = tf.mul(centered, inverse)
    ;(save as (t: Tensor[]) => void)([value, inverse])
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [y, r] = saved as [Tensor, Tensor]
      const meanDy = tf.mean(dy, -1, true), meanDyY = tf.mean(tf.mul(dy, y), -1, true)
      return tf.mul(tf.sub(tf.sub(dy, meanDy), tf.mul(y, meanDyY)), r)
    }
    return { value, gradFunc }
  })(x))
}

/** [B, T, C] -> [B, 1, C]. tfjs' own gradient of a sum multiplies with a tensor of ones that is as large as x. */
export function sumTokens(x: Tensor): Tensor {
  return tf.customGrad((input: unknown) => {
    const t = input as Tensor, { shape } = t
    return { value: tf.sum(t, 1, true), gradFunc: (dy: Tensor) => tf.tile(dy, [1, shape[1]!, 1]) }
  })(x)
}

/** x Φ(x), exact (erf). Its gradient computes Φ anew: that costs less than to keep it. */
export function gelu(x: Tensor): Tensor {
  const cdf = (t: Tensor) => tf.add(tf.mul(tf.erf(tf.mul(t, SQRT1_2)), 0.5), 0.5)
  return tf.customGrad((input: unknown, save: unknown) => {
    const t = input as Tensor
    ;(save as (t: Tensor[]) => void)([t])
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const a = saved[0]!
      const density = tf.exp(tf.sub(tf.mul(tf.square(a), -0.5), LOG_SQRT_2PI))
      return tf.mul(dy, tf.add(cdf(a), tf.mul(a, density)))
    }
    return { value: tf.mul(t, cdf(t)), gradFunc }
  })(x)
}

const geluTanh = (x: Tensor): Tensor =>
  tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI))), 1))

export type Activation = 'gelu' | 'gelu-tanh' | 'quick-gelu' | 'relu' | 'silu'
const activations: Record<Activation, (x: Tensor) => Tensor> = {
  gelu, 'gelu-tanh': geluTanh, 'quick-gelu': x => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))),
  relu: x => tf.relu(x), silu: x => tf.mul(x, tf.sigmoid(x)),
}
export const activation = (name: Activation, x: Tensor): Tensor => tf.tidy(() => activations[name](x))

/** Mean cross-entropy with label smoothing. logits [B, C], labels int32 [B]. */
export function crossEntropy(logits: Tensor, labels: Tensor, smoothing = 0): Tensor {
  const classes = logits.shape[1]!
  const logp = tf.logSoftmax(logits)
  const hot = tf.oneHot(labels as never, classes, 1, 0, 'float32')
  const target = smoothing === 0 ? hot : tf.add(tf.mul(hot, 1 - smoothing), smoothing / classes)
  return tf.neg(tf.mean(tf.sum(tf.mul(logp, target), -1)))
}
