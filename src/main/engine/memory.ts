import type { VitShape } from '../contract/model'
import { tokens } from './backbones/vit'
import { count, totalParameters, type Site } from './sites'
import { trainableCount, type Tuning } from './tuning'

const FLOAT = 4

export interface MemoryEstimate { frozen: number; trained: number; activations: number; workspace: number; total: number }

/** What Node, TensorFlow and a compiled graph take before the first weight. */
const RUNTIME = 600e6

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
  const workspace = Math.round(RUNTIME + FLOAT * batchSize * tokens(shape) * Math.max(3 * shape.mlp, 6 * shape.width))
  return { frozen, trained, activations: Math.round(activations), workspace, total: frozen + trained + Math.round(activations) + workspace }
}

/** The share of blocks that a gradient passes through: from the first trained one on. */
function gradientShare(shape: VitShape, tuning: Tuning): number {
  const depths = new Map(tuning.sites.map(site => [site.name, site.depth]))
  const first = Math.min(...tuning.slots.map(slot => depths.get(slot.site)!), shape.depth)
  return (shape.depth - Math.max(0, first)) / shape.depth
}

/** Floats kept per token and block: what the gradients of norms, attention, GELU and the method's hooks read again. */
function perBlockFloats(shape: VitShape, tuning: Tuning): number {
  const hooks = tuning.method.hooks ? 2 : 1
  return 14 * shape.width + (2 + 2 * hooks) * shape.mlp
}
