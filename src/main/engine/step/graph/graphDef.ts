import { Message } from './protobuf'

/** TensorFlow's numbers for element types. */
export const FLOAT = 1, INT32 = 3, BFLOAT16 = 14

export type Attribute =
  | { type: number } | { types: readonly number[] } | { int: number } | { ints: readonly number[] } | { float: number } | { bool: boolean } | { text: string }
  | { shape: readonly number[] } | { tensor: { dtype: number; shape: readonly number[]; bytes: Uint8Array } }
export type Attributes = Readonly<Record<string, Attribute>>
export interface Output { dtype: number; shape: readonly number[] }

/** An operation of a graph. An input is `node`, `node:output`, or `^node` for order alone. */
export interface GraphNode { name: string; op: string; inputs: readonly string[]; attributes: Attributes; outputs: readonly Output[] }

/** The nodes as the file saved_model.pb (tensorflow/core/protobuf/saved_model.proto), under the tag `serve`. */
export function savedModel(nodes: readonly GraphNode[]): Uint8Array {
  const graph = new Message()
  for (const node of nodes) graph.message(1, nodeDef(node))
  graph.message(4, new Message().int(1, 2000).int(2, 12))
  const meta = new Message().message(1, new Message().text(4, 'serve')).message(2, graph)
  return new Message().int(1, 1).message(2, meta).encode()
}

/** The node and the output that an input names; null for order alone. */
export function sourceOf(input: string): { node: string; output: number } | null {
  if (input.startsWith('^')) return null
  const colon = input.lastIndexOf(':')
  return colon < 0 ? { node: input, output: 0 } : { node: input.slice(0, colon), output: Number(input.slice(colon + 1)) }
}

/** An input by its new name; order alone follows its node. */
export function renamed(input: string, names: ReadonlyMap<string, string>): string {
  if (!input.startsWith('^')) return names.get(input) ?? input
  const to = names.get(input.slice(1))
  return to === undefined ? input : `^${sourceOf(to)!.node}`
}

/** What an input names, of nodes by name. */
export function outputOf(input: string, nodes: ReadonlyMap<string, GraphNode>): Output {
  const { node, output } = sourceOf(input)!
  return nodes.get(node)!.outputs[output]!
}

/** Operations that only move numbers. */
export const moves: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'ExpandDims', 'Squeeze'])

/** The axes that a reduction's second input names, from 0 on; null where it is no constant. */
export function axesIn(constant: GraphNode | undefined, rank: number): number[] | null {
  const value = constant?.op === 'Const' ? constant.attributes.value : undefined
  if (!value || !('tensor' in value)) return null
  return [...new Int32Array(value.tensor.bytes.slice().buffer)].map(axis => (axis + rank) % rank)
}

/** The part of the graph that a node belongs to: parts are run one at a time. */
export const partOf = (name: string): string => name.slice(0, Math.max(0, name.indexOf('/')))

function nodeDef({ name, op, inputs, attributes }: GraphNode): Message {
  const node = new Message().text(1, name).text(2, op)
  for (const input of inputs) node.text(3, input)
  for (const [key, value] of Object.entries(attributes)) node.message(5, new Message().text(1, key).message(2, attribute(value)))
  return node
}

function attribute(value: Attribute): Message {
  const out = new Message()
  if ('type' in value) return out.int(6, value.type)
  if ('types' in value) return out.message(1, value.types.reduce((list, x) => list.int(6, x), new Message()))
  if ('int' in value) return out.int(3, value.int)
  if ('ints' in value) return out.message(1, value.ints.reduce((list, x) => list.int(3, x), new Message()))
  if ('float' in value) return out.float(4, value.float)
  if ('bool' in value) return out.bool(5, value.bool)
  if ('text' in value) return out.text(2, value.text)
  if ('shape' in value) return out.message(7, shapeOf(value.shape))
  const { dtype, shape, bytes } = value.tensor
  return out.message(8, new Message().int(1, dtype).message(2, shapeOf(shape)).bytes(4, bytes))
}

const shapeOf = (shape: readonly number[]): Message => shape.reduce((out, n) => out.message(2, new Message().int(1, n)), new Message())
