import { tf, type Tensor } from '../tf'
import type { Channels, Hooks } from './define'

/** diag(scale) W for a matrix, or the elementwise product for the vector of a norm. scale [out]. */
export const scaleRows = (w: Tensor, scale: Tensor): Tensor => tf.mul(w, w.rank === 2 ? scale.expandDims(1) : scale)
/** W diag(scale). scale [in]. */
export const scaleColumns = (w: Tensor, scale: Tensor): Tensor => tf.mul(w, scale)
export const addBias = (y: Tensor, b: Tensor | null): Tensor => b ? tf.add(y, b) : y

/** y ⊙ scale + shift */
export const onChannels = (y: Tensor, { scale, shift }: Channels): Tensor => addBias(tf.mul(y, scale), shift)
/** A method that scales and shifts outputs, as hooks. */
export const channelHooks = (channels: (b: Tensor | null) => Channels): Hooks => ({
  channels,
  affine: (w, b) => {
    const { scale, shift } = channels(b)
    return { w: scaleRows(w, scale), b: shift }
  },
})
