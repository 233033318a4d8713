import { tf, type Tensor } from '../../tf'
import { INT32, type Attribute, type GraphNode, type Output } from './graphDef'

/** The two calls of tfjs-node's addon that every kernel passes through. */
interface Binding {
  executeOp(name: string, attributes: RawAttribute[], inputs: number[], outputs: number): { id: number; dtype: number; shape: number[] }[]
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): number
  [constant: string]: unknown
}
interface RawAttribute { name: string; type: number; value: unknown }
interface Backend { binding: Binding; getInputTensorIds(tensors: Tensor[]): number[] }

/**
 * Runs `body` once and writes down every operation it performs. `inputs` are tensors that the graph takes from
 * elsewhere, with the names of the nodes that will stand for them. Returns the nodes, their names beginning with
 * `prefix`, and where the results of `body` come from.
 */
export function record(prefix: string, inputs: readonly [Tensor, string][], body: () => Tensor[]): { nodes: GraphNode[]; results: string[] } {
  const backend = tf.backend() as unknown as Backend
  const known = new Map(inputs.map(([tensor, name]) => [backend.getInputTensorIds([tensor])[0]!, name]))
  const nodes: GraphNode[] = []
  const raw = backend.binding
  backend.binding = recording(raw, prefix, nodes, known)
  try {
    const results = tf.tidy(() => backend.getInputTensorIds(body()).map(id => source(id, known)))
    return { nodes, results }
  } finally {
    backend.binding = raw
  }
}

/** Attributes that tfjs leaves to eager TensorFlow to find; a graph wants them written. */
const inferred: Record<string, (dtype: number) => GraphNode['attributes']> = {
  ExpandDims: dtype => ({ T: { type: dtype }, Tdim: { type: INT32 } }),
}

function source(id: number, known: ReadonlyMap<number, string>): string {
  const name = known.get(id)
  if (name === undefined) throw new Error('The step reads a tensor that is neither fed, nor kept, nor computed in it.')
  return name
}

function recording(raw: Binding, prefix: string, nodes: GraphNode[], known: Map<number, string>): Binding {
  const kinds = new Map(['STRING', 'INT', 'FLOAT', 'BOOL', 'TYPE', 'SHAPE'].map(kind => [raw[`TF_ATTR_${kind}`], kind]))
  const add = (op: string, from: readonly string[], attributes: GraphNode['attributes'], outputs: readonly Output[]): string => {
    const name = `${prefix}${nodes.length}`
    nodes.push({ name, op, inputs: from, attributes, outputs })
    return name
  }
  const own: Pick<Binding, 'executeOp' | 'createTensor'> = {
    executeOp(op, attributes, ids, outputs) {
      const results = raw.executeOp(op, attributes, ids, outputs)
      const given = Object.fromEntries(attributes.map(a => [a.name, attributeOf(a, kinds.get(a.type)!)]))
      const name = add(op, ids.map(id => source(id, known)), { ...inferred[op]?.(results[0]!.dtype), ...given }, results.map(({ dtype, shape: s }) => ({ dtype, shape: [...s] })))
      results.forEach(({ id }, i) => known.set(id, i === 0 ? name : `${name}:${i}`))
      return results
    },
    createTensor(shape, dtype, values) {
      const id = raw.createTensor(shape, dtype, values)
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice()
      known.set(id, add('Const', [], { dtype: { type: dtype }, value: { tensor: { dtype, shape: [...shape], bytes } } }, [{ dtype, shape: [...shape] }]))
      return id
    },
  }
  // the addon's own properties cannot be overwritten, so a copy with two of them changed stands in for it
  const copies = Object.getOwnPropertyNames(raw).map(name => [name, raw[name]])
  return { ...Object.fromEntries(copies) as Binding, ...own }
}

function attributeOf({ name, value }: RawAttribute, kind: string): Attribute {
  if (kind === 'TYPE') return { type: value as number }
  if (kind === 'BOOL') return { bool: Boolean(value) }
  if (kind === 'STRING') return { text: String(value) }
  if (kind === 'SHAPE') return { shape: value as number[] }
  if (kind === 'INT') return Array.isArray(value) ? { ints: value as number[] } : { int: value as number }
  if (kind === 'FLOAT' && !Array.isArray(value)) return { float: value as number }
  throw new Error(`The attribute ${name} of kind ${kind} cannot be written into a graph.`)
}
