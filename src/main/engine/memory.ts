import type { MemorySaving } from '../contract/plan'
import type { Recipe } from '../contract/recipe'
import type { VitShape } from '../contract/model'
import { tokens } from './backbones/vit'
import { count, totalParameters, type Site } from './sites'
import type { Precision } from '../contract/rates'
import { ALONE } from './step/pieces'
import { trainableCount, type Tuning } from './tuning'

const FLOAT = 4

export interface MemoryEstimate { frozen: number; trained: number; activations: number; workspace: number; total: number }
export type Batch = Pick<Recipe['train'], 'batchSize' | 'accumulate' | 'recompute'>

/** What Node, TensorFlow and a compiled graph take before the first weight. */
const RUNTIME = 380e6
/** Frozen weights: while they are read, in the file's numbers and as tensors; then in the session. */
const READ = 1.6, FROZEN = 1.25
/** Trained tensors: the value, two moments and the gradient; of those that lie together also views. */
const TRAINED = { alone: 4, together: 5 }
/** What is kept in bfloat16 in place of float32; frozen weights are read in float32. */
const ROUNDED = { frozen: 0.9, activations: 0.72 }
/** Operations that run one by one keep more of a block than a compiled step, and of trained tensors also a mask and what is next. */
const EAGER = { activations: 1.6, trained: 2 }

/** Bytes of one training run, from counts alone: measured on ViT-Ti, -S and -B. */
export function estimateMemory(shape: VitShape, sites: readonly Site[], tuning: Tuning, { precision, eager }: { precision: Precision; eager: boolean }, { batchSize, recompute }: Batch): MemoryEstimate {
  const rounded = precision === 'bfloat16' ? ROUNDED : { frozen: 1, activations: 1 }
  const owned = tuning.slots.filter(s => s.kind !== 'added').reduce((n, s) => n + count(s.shape), 0)
  const weights = FLOAT * (totalParameters(sites) - (tuning.san === null ? owned : 0)), frozen = Math.round(FROZEN * rounded.frozen * weights)
  const large = tuning.slots.map(s => count(s.shape)).filter(size => size >= ALONE).reduce((n, size) => n + size, 0)
  const trained = FLOAT * (TRAINED.alone * large + TRAINED.together * (trainableCount(tuning) - large) + (eager ? EAGER.trained : 0) * trainableCount(tuning))
  const block = FLOAT * batchSize * tokens(shape) * perBlockFloats(shape, tuning) * rounded.activations * (eager ? EAGER.activations : 1)
  const entering = FLOAT * batchSize * tokens(shape) * shape.width
  const blocks = gradientShare(shape, tuning) * shape.depth
  const activations = Math.round(recompute ? blocks * entering + Math.min(1, blocks) * block : blocks * block)
  const computing = RUNTIME + Math.min(1, 1 - gradientShare(shape, tuning)) * block, reading = RUNTIME + READ * weights - frozen - trained - activations
  const workspace = Math.round(Math.max(computing, reading))
  return { frozen, trained, activations, workspace, total: frozen + trained + activations + workspace }
}

/** Changes that leave the effective batch as it is and save at least a twentieth, the largest saving first. */
export function memorySavings(total: number, train: Batch, estimate: (train: Batch) => MemoryEstimate): MemorySaving[] {
  const changes: Partial<Batch>[] = [
    ...(train.recompute ? [] : [{ recompute: true }]),
    ...(train.batchSize > 1 ? [{ batchSize: Math.ceil(train.batchSize / 2), accumulate: train.accumulate * 2 }] : []),
  ]
  return changes
    .map(change => ({ change: Object.fromEntries(Object.entries(change).map(([field, value]) => [`train.${field}`, value])), total: estimate({ ...train, ...change }).total }))
    .filter(saving => saving.total < 0.95 * total).sort((a, b) => a.total - b.total)
}

/** The share of blocks that a gradient passes through: from the first trained one on. */
function gradientShare(shape: VitShape, tuning: Tuning): number {
  const depths = new Map(tuning.sites.map(site => [site.name, site.depth]))
  const first = Math.min(...tuning.slots.map(slot => depths.get(slot.site)!), shape.depth)
  return (shape.depth - Math.max(0, first)) / shape.depth
}

/** Floats kept per token and block until its gradient is taken. SAN's measured gains read what goes in and what comes out. */
function perBlockFloats(shape: VitShape, { san }: Tuning): number {
  const measured = san !== null && san.buffers.length > 0
  return 9 * shape.width + shape.mlp * (2 + (san ? 0.3 : 0) + (measured ? 3 : 0))
}
