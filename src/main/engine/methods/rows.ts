import { tf, type Tensor } from '../tf'

/** diag(scale) W for a matrix, or the elementwise product for the vector of a norm. scale [out]. */
export const scaleRows = (w: Tensor, scale: Tensor): Tensor => tf.mul(w, w.rank === 2 ? scale.expandDims(1) : scale)
/** W diag(scale). scale [in]. */
export const scaleColumns = (w: Tensor, scale: Tensor): Tensor => tf.mul(w, scale)
export const addBias = (y: Tensor, b: Tensor | null): Tensor => b ? tf.add(y, b) : y
