import { count } from '../../sites'
import { FLOAT, INT32, type Attribute, type Attributes, type Output } from './graphDef'

const unary = new Set(['Abs', 'Erf', 'Exp', 'Floor', 'Log', 'Neg', 'Reciprocal', 'Relu', 'Rsqrt', 'Sigmoid', 'Softmax', 'Sqrt', 'Square', 'Tanh', 'ZerosLike', 'OnesLike'])
const binary = new Set(['Add', 'AddV2', 'BiasAdd', 'Maximum', 'Minimum', 'Mul', 'RealDiv', 'Sub'])
const products: Readonly<Record<string, [string, string]>> = { MatMul: ['transpose_a', 'transpose_b'], BatchMatMulV2: ['adj_x', 'adj_y'] }
const reductions = new Set(['Max', 'Mean', 'Sum'])

/** An operation's input: what it is, and its numbers where they are constant. */
export interface Operand extends Output { values?: Int32Array }

/** Operations whose results are all like their first input. */
const alike = new Set(['EngramAttention', 'EngramAttentionGradient'])

/** What an operation of real numbers gives, each of its results, by its inputs alone; null where only running it tells. */
export function inferred(op: string, attributes: Attributes, [a, b]: readonly Operand[]): Output | null {
  if (a?.dtype !== FLOAT) return null
  const shape = shapeOf(op, attributes, a, b)
  return shape && { dtype: FLOAT, shape }
}

function shapeOf(op: string, attributes: Attributes, a: Operand, b: Operand | undefined): readonly number[] | null {
  if (unary.has(op) || alike.has(op) || (op === 'Cast' && isReal(attributes.DstT))) return a.shape
  if (!b) return null
  if (binary.has(op)) return broadcast(a.shape, b.shape)
  if (products[op]) return productOf(a.shape, b.shape, products[op].map(name => isTrue(attributes[name])))
  if (b.dtype !== INT32 || !b.values) return null
  const values = [...b.values]
  if (op === 'Reshape') return values.map(size => size < 0 ? count(a.shape) / Math.abs(count(values)) : size)
  if (op === 'Transpose') return values.map(axis => a.shape[axis]!)
  if (op === 'Tile') return a.shape.map((size, axis) => size * values[axis]!)
  return reductions.has(op) ? reduced(a.shape, values, isTrue(attributes.keep_dims)) : null
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length), at = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1
  return Array.from({ length: rank }, (_, axis) => at(a, axis) === 1 ? at(b, axis) : at(a, axis))
}

function productOf(a: readonly number[], b: readonly number[], [swapsA, swapsB]: readonly boolean[]): number[] {
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), a.at(swapsA ? -1 : -2)!, b.at(swapsB ? -2 : -1)!]
}

function reduced(shape: readonly number[], values: readonly number[], keeps: boolean): number[] {
  const axes = new Set(values.map(axis => (axis + shape.length) % shape.length))
  return shape.flatMap((size, axis) => axes.has(axis) ? keeps ? [1] : [] : [size])
}

const isReal = (attribute: Attribute | undefined): boolean => !!attribute && 'type' in attribute && attribute.type === FLOAT
const isTrue = (attribute: Attribute | undefined): boolean => !!attribute && 'bool' in attribute && attribute.bool
