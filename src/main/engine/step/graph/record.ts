import { count } from '../../sites'
import { tf, type Tensor } from '../../tf'
import { FLOAT, INT32, type Attribute, type GraphNode, type Output } from './graphDef'
import { inferred, type Operand } from './shapes'

/** The two calls of tfjs-node's addon that every kernel passes through. */
interface Binding {
  executeOp(name: string, attributes: RawAttribute[], inputs: number[], outputs: number): Result[]
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): number
  deleteTensor(id: number): void
  [constant: string]: unknown
}
interface RawAttribute { name: string; type: number; value: unknown }
interface Result { id: number; dtype: number; shape: number[] }
interface Backend { binding: Binding; getInputTensorIds(tensors: Tensor[]): number[]; createOutputTensor(result: Result): Tensor }

/**
 * Writes down every operation that `body` performs. `inputs` are tensors that the graph takes from elsewhere, with the
 * names of the nodes that will stand for them. Large results of real numbers are not computed: their shapes are enough,
 * so `body` must not look at values. Returns the nodes, their names beginning with `prefix`, and where the results of
 * `body` come from; `marks` are the numbers of nodes there were when `body` called `mark`.
 */
export function record(prefix: string, inputs: readonly [Tensor, string][], body: (mark: () => void) => Tensor[]): { marks: number[]; nodes: GraphNode[]; results: string[] } {
  const backend = tf.backend() as unknown as Backend, raw = backend.binding
  const recording = new Recording(raw, prefix), marks: number[] = []
  for (const [tensor, name] of inputs) recording.know(backend.getInputTensorIds([tensor])[0]!, name, { dtype: tensor.dtype === 'float32' ? FLOAT : INT32, shape: tensor.shape })
  backend.binding = recording.binding()
  try {
    const results = tf.tidy(() => backend.getInputTensorIds(body(() => marks.push(recording.nodes.length))).map(id => recording.source(id)))
    return { marks, nodes: recording.nodes, results }
  } finally {
    backend.binding = raw
  }
}

/** Attributes that tfjs leaves to eager TensorFlow to find; a graph wants them written. */
const missing: Record<string, (dtype: number) => GraphNode['attributes']> = {
  ExpandDims: dtype => ({ T: { type: dtype }, Tdim: { type: INT32 } }),
}

/** From how many elements on a result is not computed. */
const LARGE = 4096

class Recording {
  readonly nodes: GraphNode[] = []
  private readonly names = new Map<number, string>()
  private readonly operands = new Map<number, Operand>()
  private readonly kinds: ReadonlyMap<unknown, string>

  constructor(private readonly raw: Binding, private readonly prefix: string) {
    this.kinds = new Map(['STRING', 'INT', 'FLOAT', 'BOOL', 'TYPE', 'SHAPE'].map(kind => [raw[`TF_ATTR_${kind}`], kind]))
  }

  know(id: number, name: string, operand: Operand): void {
    this.names.set(id, name)
    this.operands.set(id, operand)
  }
  source(id: number): string {
    const name = this.names.get(id)
    if (name === undefined) throw new Error('The step reads a tensor that is neither fed, nor kept, nor computed in it.')
    return name
  }

  /** The addon's own properties cannot be overwritten, so a copy with two of them changed stands in for it. */
  binding(): Binding {
    const copies = Object.getOwnPropertyNames(this.raw).map(name => [name, this.raw[name]])
    const executeOp: Binding['executeOp'] = (op, attributes, ids, outputs) => this.execute(op, attributes, ids, outputs)
    const createTensor: Binding['createTensor'] = (shape, dtype, values) => this.constant(shape, dtype, values)
    return { ...Object.fromEntries(copies) as Binding, executeOp, createTensor }
  }

  private execute(op: string, attributes: RawAttribute[], ids: number[], outputs: number): Result[] {
    const given = Object.fromEntries(attributes.map(a => [a.name, attributeOf(a, this.kinds.get(a.type)!)]))
    const inputs = ids.map(id => this.source(id)), result = inferred(op, given, ids.map(id => this.operands.get(id)!))
    const results = result && count(result.shape) >= LARGE ? Array.from({ length: outputs }, () => empty(this.raw, result)) : this.raw.executeOp(op, attributes, ids, outputs)
    const outs = results.map(({ dtype, shape }) => ({ dtype, shape: [...shape] }))
    const name = this.add(op, inputs, { ...missing[op]?.(outs[0]!.dtype), ...given }, outs)
    results.forEach(({ id }, i) => this.know(id, i === 0 ? name : `${name}:${i}`, outs[i]!))
    return results
  }

  private constant(shape: number[], dtype: number, values: ArrayBufferView): number {
    const id = this.raw.createTensor(shape, dtype, values)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice(), out: Output = { dtype, shape: [...shape] }
    const name = this.add('Const', [], { dtype: { type: dtype }, value: { tensor: { ...out, bytes } } }, [out])
    this.know(id, name, dtype === INT32 ? { ...out, values: new Int32Array(bytes.buffer) } : out)
    return id
  }

  private add(op: string, inputs: readonly string[], attributes: GraphNode['attributes'], outputs: readonly Output[]): string {
    const name = `${this.prefix}${this.nodes.length}`
    this.nodes.push({ name, op, inputs, attributes, outputs })
    return name
  }

}

/** Memory that nobody writes to is not taken from the machine. */
function empty(binding: Binding, { dtype, shape }: Output): Result {
  const size = binding.createTensor([shape.length], INT32, Int32Array.from(shape))
  const attributes: RawAttribute[] = [{ name: 'dtype', type: binding.TF_ATTR_TYPE as number, value: dtype }, { name: 'init', type: binding.TF_ATTR_BOOL as number, value: false }]
  const results = binding.executeOp('Empty', attributes, [size], 1)
  binding.deleteTensor(size)
  return results[0]!
}

/** Stands for a tensor of float32 while something is written down. */
export function standIn(shape: readonly number[]): Tensor {
  const backend = tf.backend() as unknown as Backend
  return backend.createOutputTensor(empty(backend.binding, { dtype: FLOAT, shape }))
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
