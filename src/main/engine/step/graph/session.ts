import { tf, type Tensor } from '../../tf'
import { FLOAT, INT32, savedModel, type GraphNode, type Output } from './graphDef'

/** Puts the file where TensorFlow can read it, calls `load` with the folder, and removes it again. */
export type WithModelFolder = <T>(savedModelPb: Uint8Array, load: (folder: string) => T) => T

interface Backend {
  binding: { loadSavedModel(folder: string, tags: string): number; deleteSavedModel(id: number): void; runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): unknown[] }
  getInputTensorIds(tensors: Tensor[]): number[]
  createOutputTensor(metadata: unknown): Tensor
}
const backend = (): Backend => tf.backend() as unknown as Backend

/** A loaded graph with its variables. */
export interface Session {
  /** Feeds, by placeholder; fetches nodes in order. The results are the caller's. */
  run(feeds: Readonly<Record<string, Tensor>>, fetches: readonly string[]): Tensor[]
  /** Assigns variables of one group, all of them, in one call: every new combination would be optimised anew. */
  set(group: string, values: ReadonlyMap<string, Tensor>): void
  get(variable: string): Tensor
  close(): void
}

export function openSession(nodes: readonly GraphNode[], withFolder: WithModelFolder): Session {
  const id = withFolder(savedModel(nodes), folder => backend().binding.loadSavedModel(folder, 'serve'))
  const run: Session['run'] = (feeds, fetches) => {
    const names = Object.keys(feeds)
    const ids = backend().getInputTensorIds(names.map(name => feeds[name]!))
    return backend().binding.runSavedModel(id, ids, names.map(n => `${n}:0`).join(','), fetches.map(n => n.includes(':') ? n : `${n}:0`).join(','))
      .map(metadata => backend().createOutputTensor(metadata))
  }
  return {
    run,
    set: (group, values) => tf.dispose(run(Object.fromEntries([...values].map(([name, value]) => [`${name}/value`, value])), [`${group}/set`])),
    get: variable => run({}, [`${variable}/get`])[0]!,
    close: () => backend().binding.deleteSavedModel(id),
  }
}

/** Whether TensorFlow knows all of these operations. */
export function opens(nodes: readonly GraphNode[], withFolder: WithModelFolder): boolean {
  try {
    openSession(nodes, withFolder).close()
    return true
  } catch {
    return false
  }
}

const dtypeOf = (dtype: string): number => dtype === 'int32' ? INT32 : FLOAT

export const placeholder = (name: string, dtype: 'float32' | 'int32', shape: readonly number[]): GraphNode =>
  ({ name, op: 'Placeholder', inputs: [], attributes: { dtype: { type: dtypeOf(dtype) }, shape: { shape } }, outputs: [{ dtype: dtypeOf(dtype), shape }] })

export const cast = (name: string, value: string, [from, to]: readonly [number, number], shape: readonly number[]): GraphNode =>
  ({ name, op: 'Cast', inputs: [value], attributes: { SrcT: { type: from }, DstT: { type: to }, Truncate: { bool: false } }, outputs: [{ dtype: to, shape }] })

/** A variable that lives in the session: `name/read` is its value (of a rounded one `name/stored`), `name/assign` takes `name/value`. */
export const variable = (name: string, shape: readonly number[], stored: number): GraphNode[] =>
  stored === FLOAT ? fullVariable(name, shape) : roundedVariable(name, shape, stored)

const handle = (name: string, shape: readonly number[], dtype: number): GraphNode =>
  ({ name, op: 'VarHandleOp', inputs: [], attributes: { dtype: { type: dtype }, shape: { shape }, shared_name: { text: name }, container: { text: '' } }, outputs: [] })
const read = (name: string, variableName: string, shape: readonly number[], dtype: number): GraphNode =>
  ({ name, op: 'ReadVariableOp', inputs: [variableName], attributes: { dtype: { type: dtype } }, outputs: [{ dtype, shape }] })

function fullVariable(name: string, shape: readonly number[]): GraphNode[] {
  return [
    handle(name, shape, FLOAT), read(`${name}/read`, name, shape, FLOAT), after(`${name}/get`, `${name}/read`, []),
    placeholder(`${name}/value`, 'float32', shape), assign(`${name}/assign`, name, `${name}/value`),
  ]
}

function roundedVariable(name: string, shape: readonly number[], stored: number): GraphNode[] {
  return [
    handle(name, shape, stored), read(`${name}/stored`, name, shape, stored), placeholder(`${name}/value`, 'float32', shape),
    { ...cast(`${name}/rounded`, `${name}/value`, [FLOAT, stored], shape), outputs: [] }, assign(`${name}/assign`, name, `${name}/rounded`, stored),
  ]
}

/** A variable that `name/clear` fills with zeros. */
export function zeroed(name: string, shape: readonly number[]): GraphNode[] {
  const bytes = (numbers: ArrayBufferView) => new Uint8Array(numbers.buffer)
  return [
    ...variable(name, shape, FLOAT), constant(`${name}/shape`, INT32, [shape.length], bytes(Int32Array.from(shape))), constant(`${name}/zero`, FLOAT, [], bytes(new Float32Array(1))),
    { name: `${name}/zeros`, op: 'Fill', inputs: [`${name}/shape`, `${name}/zero`], attributes: { T: { type: FLOAT }, index_type: { type: INT32 } }, outputs: [{ dtype: FLOAT, shape }] },
    assign(`${name}/clear`, name, `${name}/zeros`),
  ]
}

export const constant = (name: string, dtype: number, shape: readonly number[], bytes: Uint8Array): GraphNode =>
  ({ name, op: 'Const', inputs: [], attributes: { dtype: { type: dtype }, value: { tensor: { dtype, shape, bytes } } }, outputs: [{ dtype, shape }] })

/** The same numbers with other axes. */
export function reshaped(name: string, from: string, output: Output): GraphNode[] {
  const { dtype, shape } = output, axes = constant(`${name}/axes`, INT32, [shape.length], new Uint8Array(Int32Array.from(shape).buffer))
  return [axes, { name, op: 'Reshape', inputs: [from, axes.name], attributes: { T: { type: dtype }, Tshape: { type: INT32 } }, outputs: [output] }]
}

/** `group/set` runs all of these. */
export const group = (name: string, members: readonly string[]): GraphNode[] =>
  [constant(`${name}/done`, FLOAT, [], new Uint8Array(4)), after(`${name}/set`, `${name}/done`, members)]

export const assign = (name: string, to: string, value: string, dtype = FLOAT, order: readonly string[] = []): GraphNode =>
  ({ name, op: 'AssignVariableOp', inputs: [to, value, ...order.map(n => `^${n}`)], attributes: { dtype: { type: dtype }, validate_shape: { bool: false } }, outputs: [] })

export const assignAdd = (name: string, to: string, value: string): GraphNode =>
  ({ name, op: 'AssignAddVariableOp', inputs: [to, value], attributes: { dtype: { type: FLOAT } }, outputs: [] })

/** Lets go of a variable's memory, until it is assigned again. */
export const released = (name: string, variableName: string, order: readonly string[]): GraphNode =>
  ({ name, op: 'DestroyResourceOp', inputs: [variableName, ...order.map(n => `^${n}`)], attributes: { ignore_lookup_error: { bool: true } }, outputs: [] })

/** The value of a float32 node, once others have run. */
export const after = (name: string, value: string, order: readonly string[]): GraphNode =>
  ({ name, op: 'Identity', inputs: [value, ...order.map(n => `^${n}`)], attributes: { T: { type: FLOAT } }, outputs: [] })
