import { axesIn, FLOAT, outputOf, partOf, renamed, type GraphNode } from './graphDef'
import { reshaped } from './session'

/** Without what does nothing, and with sums over all axes but the last taken by a kernel that is several times as fast. */
export function simplified(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map(n => [n.name, n])), replaced = new Map<string, string>(), constants = new Map<string, string>(), out: GraphNode[] = []
  for (const recorded of nodes) {
    const node = { ...recorded, inputs: recorded.inputs.map(input => renamed(input, replaced)) }
    const value = constantOf(node), same = value && constants.get(value)
    if (value && !same) constants.set(value, node.name)
    if (same) replaced.set(node.name, same)
    else if (changesNothing(node, byName)) replaced.set(node.name, node.inputs[0]!)
    else out.push(...(sumsRows(node, byName) ? columnSum(node) : squared(node, byName) ?? [node]))
  }
  return out
}

/** A small constant as text, with the part of the graph that it is in. */
function constantOf({ name, op, attributes: { value } }: GraphNode): string | null {
  if (op !== 'Const' || !value || !('tensor' in value) || value.tensor.bytes.length > SMALL) return null
  const { dtype, shape, bytes } = value.tensor
  return [partOf(name), dtype, shape, bytes].join(' ')
}
const SMALL = 64

/** tfjs writes many a cast to the same type and reshape to the same shape. */
function changesNothing({ op, inputs, outputs }: GraphNode, byName: ReadonlyMap<string, GraphNode>): boolean {
  if ((op !== 'Cast' && op !== 'Reshape') || outputs.length === 0) return false
  const before = outputOf(inputs[0]!, byName), after = outputs[0]!
  return before.dtype === after.dtype && before.shape.length === after.shape.length && before.shape.every((size, i) => size === after.shape[i])
}

/** Whether all axes but the last are summed, or of size 1. */
function sumsRows({ op, inputs, outputs }: GraphNode, byName: ReadonlyMap<string, GraphNode>): boolean {
  if (op !== 'Sum' || outputs[0]!.dtype !== FLOAT) return false
  const { shape } = outputOf(inputs[0]!, byName), axes = axesIn(byName.get(inputs[1]!), shape.length)
  if (shape.length < 2 || !axes) return false
  return !axes.includes(shape.length - 1) && shape.slice(0, -1).every((size, axis) => size === 1 || axes.includes(axis))
}

/** The sum of a vector's squares in one pass, without the squares in memory; null where it is none. */
function squared({ name, op, inputs, outputs }: GraphNode, byName: ReadonlyMap<string, GraphNode>): GraphNode[] | null {
  const square = op === 'Sum' ? byName.get(inputs[0]!) : undefined
  if (square?.op !== 'Square' || square.outputs[0]!.shape.length !== 1 || outputs[0]!.shape.length > 0) return null
  const half: GraphNode = { name: `${name}/half`, op: 'L2Loss', inputs: square.inputs, attributes: { T: { type: FLOAT } }, outputs }
  return [half, { name, op: 'AddV2', inputs: [half.name, half.name], attributes: { T: { type: FLOAT } }, outputs }]
}

/** The gradient of a bias is such a sum. */
function columnSum({ name, inputs, outputs }: GraphNode): GraphNode[] {
  const { shape } = outputs[0]!, flat = shape.length === 1
  const sum: GraphNode = {
    name: flat ? name : `${name}/sum`, op: 'BiasAddGrad', inputs: [inputs[0]!], attributes: { T: { type: FLOAT }, data_format: { text: 'NHWC' } },
    outputs: [{ dtype: FLOAT, shape: shape.slice(-1) }],
  }
  if (flat) return [sum]
  return [sum, ...reshaped(name, sum.name, outputs[0]!)]
}
