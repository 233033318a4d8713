import { inBfloat16 } from './bfloat16'
import { fused } from './fuse'
import type { GraphNode } from './graphDef'
import { multiplied } from './matmul'
import type { Precision } from '../../../contract/rates'
import { ALONE } from '../pieces'
import { simplified } from './simplify'

/** From how many elements on operations are fused and a trained tensor is kept by itself, and from how many floating-point operations on products are rounded. */
export interface Limits { fuse: number; alone: number; round: number }
export const usualLimits: Limits = { fuse: 16_384, alone: ALONE, round: 1e6 }

export interface Optimizations { precision: Precision; isFrozen(variable: string): boolean; fuses: boolean; /** types of which products are our own */ multiplies: readonly number[]; limits: Limits }

/** A recorded graph made faster: nothing idle, large products in bfloat16, runs of element-wise operations as one. */
export function optimized(recorded: readonly GraphNode[], { precision, isFrozen, fuses, multiplies, limits }: Optimizations): GraphNode[] {
  const plain = simplified(recorded)
  const rounded = precision === 'bfloat16' ? inBfloat16(plain, isFrozen, limits.round) : plain
  const nodes = multiplied(rounded, multiplies)
  return fuses ? fused(nodes, limits.fuse) : nodes
}
