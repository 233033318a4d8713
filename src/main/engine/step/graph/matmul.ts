import { onGpu } from '../../tf'
import { BFLOAT16, FLOAT, outputOf, type Attributes, type GraphNode } from './graphDef'
import { cast, opens, placeholder, type WithModelFolder } from './session'

/** What TensorFlow's products call their transposed sides. */
const sides: Readonly<Record<string, readonly [string, string]>> = { MatMul: ['transpose_a', 'transpose_b'], BatchMatMulV2: ['adj_x', 'adj_y'] }

/** Products of these types as an operation of our own (scripts/native/matmul.cc), whose threads need not be woken for each. */
export function multiplied(nodes: readonly GraphNode[], dtypes: readonly number[]): GraphNode[] {
  const byName = new Map(nodes.map(n => [n.name, n]))
  return nodes.map(node => fits(node, byName, dtypes) ? { ...node, op: 'EngramMatMul', attributes: transposed(node) } : node)
}

/** The types of which this runtime has the operation: on a CPU float32, and bfloat16 where the processor is not faster without. */
export const multiplies = (withFolder: WithModelFolder): number[] => onGpu() ? [] : [FLOAT, BFLOAT16].filter(dtype => opens([
  placeholder('x', 'float32', [1, 1]), cast('a', 'x', [FLOAT, dtype], [1, 1]),
  { name: 'y', op: 'EngramMatMul', inputs: ['a', 'a'], attributes: { T: { type: dtype }, adj_x: { bool: false }, adj_y: { bool: false } }, outputs: [{ dtype, shape: [1, 1] }] },
], withFolder))

function fits({ op, inputs, outputs }: GraphNode, nodes: ReadonlyMap<string, GraphNode>, dtypes: readonly number[]): boolean {
  if (!sides[op] || !dtypes.includes(outputs[0]!.dtype)) return false
  const [a, b] = [0, 1].map(i => outputOf(inputs[i]!, nodes).shape) as [readonly number[], readonly number[]]
  return a.length === b.length && a.slice(0, -2).every((size, axis) => size === b[axis])
}

function transposed({ op, attributes }: GraphNode): Attributes {
  const [a, b] = sides[op]!
  return { T: attributes.T!, adj_x: attributes[a]!, adj_y: attributes[b]! }
}
