import type { VitShape } from '../contract/model'
import { tokens } from './backbones/vit'
import { count, totalParameters, type Site } from './sites'
import { trainableCount, type Tuning } from './tuning'

const FLOAT = 4

export interface MemoryEstimate { frozen: number; trained: number; activations: number; workspace: number; total: number }

/** What Node, TensorFlow and a compiled graph take before the first weight. */
const RUNTIME = 650e6

/**
 * Bytes of one training run, from counts alone. Frozen weights are held twice while the step is compiled; trained
 * tensors six times: the value, its views, the gradient, two moments and the update. Activations are what a step keeps
 * until its gradient is taken.
 */
export function estimateMemory(shape: VitShape, sites: readonly Site[], tuning: Tuning, batchSize: number): MemoryEstimate {
  const owned = tuning.slots.filter(s => s.kind !== 'added').reduce((n, s) => n + count(s.shape), 0)
  const keepsOriginals = tuning.san !== null
  const frozen = 2 * FLOAT * (totalParameters(sites) - (keepsOriginals ? 0 : owned))
  const trained = 6 * FLOAT * trainableCount(tuning)
  const share = gradientShare(shape, tuning)
  const scores = 2 * shape.heads * tokens(shape) ** 2
  const activations = FLOAT * batchSize * share * shape.depth * (tokens(shape) * perBlockFloats(shape, tuning) + scores)
  const workspace = Math.round(RUNTIME + 2 * FLOAT * batchSize * tokens(shape) * Math.max(3 * shape.mlp, 6 * shape.width))
  return { frozen, trained, activations: Math.round(activations), workspace, total: frozen + trained + Math.round(activations) + workspace }
}

/** The share of blocks that a gradient passes through: from the first trained one on. */
function gradientShare(shape: VitShape, tuning: Tuning): number {
  const depths = new Map(tuning.sites.map(site => [site.name, site.depth]))
  const first = Math.min(...tuning.slots.map(slot => depths.get(slot.site)!), shape.depth)
  return (shape.depth - Math.max(0, first)) / shape.depth
}

/**
 * Floats kept per token and block while a step is recorded, which is when a run needs most: measured on DINOv2-S and
 * ViT-B. Scaled outputs are kept beside the plain ones, SAN's scaled inputs too, and a measured gain reads both.
 */
function perBlockFloats(shape: VitShape, { method, san }: Tuning): number {
  const scales = !('never' in method.san) && method.san.gain !== undefined, measured = san !== null && san.buffers.length > 0
  return 14 * shape.width + shape.mlp * (3 + (scales ? 1.5 : 0) + (san ? 1.5 : 0) + (measured ? 3 : 0))
}
