import { nativeBackend, onGpu, tf, type NativeAttribute, type Tensor } from '../tf'

/** q, k, v [B, T, d] -> [B, T, d]; softmax(q kᵀ / sqrt(d / heads)) v per head. */
export function attention(q: Tensor, k: Tensor, v: Tensor, heads: number): Tensor {
  return tf.tidy(() => hasNative() ? native(q, k, v, heads) : composed(q, k, v, heads))
}

const scaleOf = (width: number, heads: number): number => 1 / Math.sqrt(width / heads)

/** In one operation of our own (scripts/native/attention.cc), which keeps no probabilities. */
function native(q: Tensor, k: Tensor, v: Tensor, heads: number): Tensor {
  const given = attributes(heads, scaleOf(q.shape[2]!, heads))
  const op = tf.customGrad((a: unknown, b: unknown, c: unknown, save: unknown) => {
    const inputs = [a, b, c] as Tensor[]
    ;(save as (t: Tensor[]) => void)(inputs)
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => nativeBackend().executeMultipleOutputs('EngramAttentionGradient', given, [...saved, dy], 3)
    return { value: nativeBackend().executeSingleOutput('EngramAttention', given, inputs), gradFunc: gradFunc as never }
  })
  return op(q, k, v)
}

function attributes(heads: number, scale: number): NativeAttribute[] {
  const { binding } = nativeBackend()
  return [{ name: 'heads', type: binding.TF_ATTR_INT, value: heads }, { name: 'scale', type: binding.TF_ATTR_FLOAT, value: scale }]
}

let known: boolean | undefined
function hasNative(): boolean {
  known ??= !onGpu() && runs()
  return known
}
function runs(): boolean {
  try {
    const one = tf.ones([1, 1, 1])
    tf.dispose([nativeBackend().executeSingleOutput('EngramAttention', attributes(1, 1), [one, one, one]), one])
    return true
  } catch {
    return false
  }
}

/** In TensorFlow's operations. */
export function composed(q: Tensor, k: Tensor, v: Tensor, heads: number): Tensor {
  const [batch, length, width] = q.shape as [number, number, number]
  const split = (x: Tensor) => x.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3])
  return mix(split(tf.mul(q, scaleOf(width, heads))), split(k), split(v)).transpose([0, 2, 1, 3]).reshape([batch, length, width])
}

/** softmax(q kᵀ) v over [B, H, T, S]; keeps the probabilities alone for its gradient. */
function mix(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const op = tf.customGrad((a: unknown, b: unknown, c: unknown, save: unknown) => {
    const [qt, kt, vt] = [a, b, c] as [Tensor, Tensor, Tensor]
    const p = tf.softmax(tf.matMul(qt, kt, false, true))
    ;(save as (t: Tensor[]) => void)([qt, kt, vt, p])
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [qs, ks, vs, ps] = saved as [Tensor, Tensor, Tensor, Tensor]
      const dp = tf.mul(tf.matMul(dy, vs, false, true), ps)
      const ds = tf.sub(dp, tf.mul(ps, tf.sum(dp, -1, true)))
      return [tf.matMul(ds, ks), tf.matMul(ds, qs, true, false), tf.matMul(ps, dy, true, false)]
    }
    return { value: tf.matMul(p, vt), gradFunc: gradFunc as never }
  })
  return op(q, k, v)
}
