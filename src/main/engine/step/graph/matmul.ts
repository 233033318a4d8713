import { onGpu } from '../../tf'
import { FLOAT, outputOf, type Attributes, type GraphNode } from './graphDef'
import { opens, placeholder, type WithModelFolder } from './session'

/** What TensorFlow's products call their transposed sides. */
const sides: Readonly<Record<string, readonly [string, string]>> = { MatMul: ['transpose_a', 'transpose_b'], BatchMatMulV2: ['adj_x', 'adj_y'] }

/** Products of float32 as an operation of our own (scripts/native/matmul.cc), whose threads need not be woken for each. */
export function multiplied(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map(n => [n.name, n]))
  return nodes.map(node => fits(node, byName) ? { ...node, op: 'EngramMatMul', attributes: transposed(node) } : node)
}

/** Whether this runtime has the operation, on this processor. */
export const canMultiply = (withFolder: WithModelFolder): boolean => !onGpu() && opens([
  placeholder('x', 'float32', [1, 1]),
  { name: 'y', op: 'EngramMatMul', inputs: ['x', 'x'], attributes: { adj_x: { bool: false }, adj_y: { bool: false } }, outputs: [{ dtype: FLOAT, shape: [1, 1] }] },
], withFolder)

function fits({ op, inputs, outputs }: GraphNode, nodes: ReadonlyMap<string, GraphNode>): boolean {
  if (!sides[op] || outputs[0]!.dtype !== FLOAT) return false
  const [a, b] = [0, 1].map(i => outputOf(inputs[i]!, nodes).shape) as [readonly number[], readonly number[]]
  return a.length === b.length && a.slice(0, -2).every((size, axis) => size === b[axis])
}

function transposed({ op, attributes }: GraphNode): Attributes {
  const [a, b] = sides[op]!
  return { adj_x: attributes[a]!, adj_y: attributes[b]! }
}
