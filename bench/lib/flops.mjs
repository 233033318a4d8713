import { PATCH, SIDE, backbones } from './grid.mjs'

const tokens = (SIDE / PATCH) ** 2 + 1

/** Floating-point operations of the matrix products of one image, forward and backward as far as a method needs. */
export function flopsPerImage(row, method) {
  const { width: d, depth } = backbones[row]
  const linears = depth * 12 * 2 * tokens * d * d
  const attention = depth * 4 * tokens * tokens * d
  const patches = 2 * (tokens - 1) * 3 * PATCH * PATCH * d
  const forward = linears + attention + patches
  if (method === 'linear-probe' || method === 'inference') return forward
  const toInputs = linears + 2 * attention
  if (method === 'full') return forward + toInputs + linears + patches
  if (method !== 'lora') return forward + toInputs
  // Nothing is trained before the first block's q, k and v, so their inputs need no gradient.
  const factors = depth * 3 * 2 * tokens * 8 * 18 * d
  return forward + toInputs - 3 * 2 * tokens * d * d + factors
}

/** Matrix products of a ViT-B block at batch 4, as [rows, inner, columns]. */
export function blockProducts() {
  const { width: d, batch } = backbones['vit-b']
  const m = batch * tokens
  return [[m, d, d], [m, d, d], [m, d, d], [m, d, d], [m, d, 4 * d], [m, 4 * d, d]]
}
