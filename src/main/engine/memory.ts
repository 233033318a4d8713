import type { VitShape } from '../contract/model'
import { tokens } from './backbones/vit'
import { totalParameters, type Site } from './sites'
import { trainableCount, type Tuning } from './tuning'

const FLOAT = 4

export interface MemoryEstimate { frozen: number; trained: number; activations: number; workspace: number; total: number }

/**
 * Bytes of one training step, from counts alone. Trained tensors are held six times: the value, its views, the
 * gradient, two moments and the update. Activations are what an eager step keeps until its gradient is taken.
 */
export function estimateMemory(shape: VitShape, sites: readonly Site[], tuning: Tuning, batchSize: number): MemoryEstimate {
  const trainable = trainableCount(tuning)
  const owned = tuning.slots.filter(s => s.kind !== 'added').reduce((n, s) => n + s.shape.reduce((a, d) => a * d, 1), 0)
  const frozen = FLOAT * (tuning.method.san && 'never' in tuning.method.san ? totalParameters(sites) - owned : totalParameters(sites))
  const trained = FLOAT * trainable * 6
  const perToken = shape.depth * perBlockFloats(shape, tuning)
  const scores = shape.depth * shape.heads * tokens(shape) ** 2 * 2
  const activations = FLOAT * batchSize * (tokens(shape) * perToken + scores)
  const runtime = 220e6
  const workspace = Math.round(runtime + FLOAT * batchSize * tokens(shape) * Math.max(3 * shape.mlp, 6 * shape.width))
  return { frozen, trained, activations, workspace, total: frozen + trained + activations + workspace }
}

/** Floats kept per token and block: what the gradients of norms, attention, GELU and the method's hooks read again. */
function perBlockFloats(shape: VitShape, tuning: Tuning): number {
  const first = Math.min(...tuning.slots.filter(s => s.kind !== 'head').map(s => tuning.sites.find(site => site.name === s.site)!.depth), shape.depth)
  const share = (shape.depth - Math.max(0, first)) / shape.depth
  const hooks = tuning.selected.size > 0 && tuning.method.hooks ? 2 : 1
  return share * (14 * shape.width + (2 + 2 * hooks) * shape.mlp)
}
