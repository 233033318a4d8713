// The only import of TensorFlow in the engine. The trainer loads the native package before any of this runs.
import * as tfjs from '@tensorflow/tfjs'

export type Tensor = tfjs.Tensor
export type Variable = tfjs.Variable
export const tf = tfjs

/** What tfjs-node adds to a backend: kernels of TensorFlow that tfjs itself has no operation for. */
interface NativeBackend {
  binding: { TF_ATTR_TYPE: number; TF_ATTR_BOOL: number; TF_ATTR_STRING: number; TF_ATTR_INT: number; TF_ATTR_FLOAT: number; TF_Version: string }
  isUsingGpuDevice?: boolean
  executeSingleOutput(name: string, attributes: NativeAttribute[], inputs: Tensor[]): Tensor
  executeMultipleOutputs(name: string, attributes: NativeAttribute[], inputs: Tensor[], outputs: number): Tensor[]
}
export interface NativeAttribute { name: string; type: number; value: unknown }

export function nativeBackend(): NativeBackend {
  if (tf.getBackend() !== 'tensorflow') throw new Error('The native TensorFlow backend is not loaded.')
  return tf.backend() as unknown as NativeBackend
}

/** Our own operations are for the CPU alone (scripts/native). */
export const onGpu = (): boolean => nativeBackend().isUsingGpuDevice === true

const FLOAT32 = 1, INT32 = 3

/** Uniform numbers in [0, 1) that depend on shape and seed alone. seed: int32 [2]. */
export function statelessUniform(shape: number[], seed: Tensor): Tensor {
  const native = nativeBackend()
  const type = (name: string, value: number) => ({ name, type: native.binding.TF_ATTR_TYPE, value })
  return tf.tidy(() => native.executeSingleOutput('StatelessRandomUniform',
    [type('dtype', FLOAT32), type('T', INT32), type('Tseed', INT32)], [tf.tensor1d(shape, 'int32'), seed]))
}

/** f of x, a constant to gradients: what has no gradient of its own (comparisons, topk) may stand in f. */
export const constantOf = (x: Tensor, f: (x: Tensor) => Tensor): Tensor => tf.customGrad((t: unknown) => {
  const { shape } = t as Tensor
  return { value: f(t as Tensor), gradFunc: () => tf.zeros(shape) }
})(x)

/** The same values, without a path for gradients. */
export const stopGradient = (x: Tensor): Tensor => constantOf(x, t => t.clone())
