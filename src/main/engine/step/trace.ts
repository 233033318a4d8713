import { backboneOf } from '../backbones/index'
import { initialBuffers, type Model } from '../model'
import { count } from '../sites'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { gradientOf, keptActivations, logitsOf, updateOf, type StepOptions } from './compute'
import { BFLOAT16, FLOAT, type GraphNode } from './graph/graphDef'
import { record, standIn } from './graph/record'
import { rematerialized } from './graph/rematerialize'
import { after, assign, assignAdd, cast, group, placeholder, variable, zeroed } from './graph/session'

/** Writes down what a training step computes: a part of the graph for each batch size, and one for the update. */

/** Batch sizes that will come. */
export interface Sizes { train: readonly number[]; predict: readonly number[] }

const FROZEN = 'frozen/'
export const isFrozen = (variableName: string): boolean => variableName.startsWith(FROZEN)
export const VALUES = 'values', M = 'm', V = 'v', DECAYED = 'decayed'
const SUM = 'sum'
export const bufferVariable = (name: string): string => `buffer/${name}`

/** The tensors that a trace reads, by the name of the variable that will hold them. */
export const traced = (model: Model, tuning: Tuning, start: Float32Array): Map<string, Tensor> => new Map<string, Tensor>([
  ...[...model.frozen].map(([name, tensor]) => [FROZEN + name, tensor] as const),
  ...[...initialBuffers(tuning)].map(([name, tensor]) => [bufferVariable(name), tensor] as const),
  [VALUES, tf.tensor1d(start)],
])

/** The tensors in parts that are taken into the session one after another: what is in it need not be held outside any more. */
export function loads(tensors: ReadonlyMap<string, Tensor>): string[][] {
  const parts: string[][] = [[]]
  let bytes = 0
  for (const [name, { size }] of tensors) {
    if (bytes > 0 && bytes + 4 * size > MOST_AT_ONCE) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(name)
    bytes += 4 * size
  }
  return parts
}
const MOST_AT_ONCE = 64e6

export const enteringShape = ({ shape }: Model, stage: number): readonly number[] => backboneOf(shape).stages(shape)[stage]!.entering

type Inputs = [Tensor, string][]
interface Parts { model: Model; tuning: Tuning; options: StepOptions; values: Tensor; buffers: Map<string, Tensor>; inputs: Inputs }

/** `load0/set` and so on and `begin/set` fill every variable, `state/set` those that training changes. */
export function trace(model: Model, tuning: Tuning, options: StepOptions, sizes: Sizes, tensors: ReadonlyMap<string, Tensor>): GraphNode[] {
  const standIns = new Map([...tensors].map(([name, { shape }]) => [name, standIn(shape)]))
  try {
    return graphOf(partsWith(standIns, model, tuning, options), tensors, sizes)
  } finally {
    tf.dispose([...standIns.values()])
  }
}

/** What is traced reads shapes alone: the weights themselves need not be in TensorFlow's hands for it. */
function partsWith(standIns: ReadonlyMap<string, Tensor>, model: Model, tuning: Tuning, options: StepOptions): Parts {
  const frozen = new Map([...model.frozen.keys()].map(name => [name, standIns.get(FROZEN + name)!]))
  const buffers = new Map((tuning.san?.buffers ?? []).map(({ name }) => [name, standIns.get(bufferVariable(name))!]))
  const inputs: Inputs = [...standIns].map(([name, tensor]) => [tensor, `${name}/read`])
  return { model: { ...model, frozen }, tuning, options, values: standIns.get(VALUES)!, buffers, inputs }
}

function graphOf(parts: Parts, tensors: ReadonlyMap<string, Tensor>, sizes: Sizes): GraphNode[] {
  const { options, values: { shape: vector }, buffers } = parts
  const assigned = (names: string[]) => names.map(name => `${name}/assign`)
  return [
    ...[...tensors].flatMap(([name, tensor]) => variable(name, tensor.shape, FLOAT)), ...variable(DECAYED, vector, BFLOAT16), ...[M, V, SUM].flatMap(name => zeroed(name, vector)),
    ...loads(tensors).flatMap((names, i) => group(`load${i}`, assigned(names))),
    ...group('begin', [...assigned([DECAYED]), ...[M, V, SUM].map(name => `${name}/clear`)]),
    ...group('state', assigned([VALUES, M, V, ...[...buffers.keys()].map(bufferVariable)])),
    ...[...new Set(sizes.train)].flatMap(size => gradientGraph(size, parts)),
    ...updateGraph(parts),
    ...[...new Set(sizes.predict)].flatMap(size => predictGraph(size, parts)),
    ...(options.from > 0 ? [...new Set([...sizes.train, ...sizes.predict])].flatMap(size => keptGraph(size, parts)) : []),
  ]
}

/** From how many elements on an activation is worth computing again. */
const LARGE = 1024

interface Feed { node: GraphNode; tensor: Tensor }
const feedOf = (name: string, shape: readonly number[]): Feed => ({ node: placeholder(name, 'float32', shape), tensor: tf.zeros([...shape]) })
const inputFeed = (name: string, size: number, { model, options }: Parts): Feed => feedOf(name, [size, ...enteringShape(model, options.from)])

/** Puts a batch's gradient, or its share of several batches', into the sum, moves the running averages, and gives [loss, correct]. */
function gradientGraph(size: number, parts: Parts): GraphNode[] {
  const at = (name: string) => `gradient${size}/${name}`
  const { model, tuning, options, values, buffers, inputs } = parts
  const input = inputFeed(at('input'), size, parts), several = options.train.accumulate > 1
  const labels = tf.zeros([size], 'int32'), seed = tf.zeros([2], 'int32'), share = tf.scalar(1)
  const fed: Inputs = [[input.tensor, at('input')], [labels, at('labels')], [seed, at('seed')], [share, at('share')]]
  let averages: string[] = [], leftovers: Tensor[] = []
  const { marks, nodes: recorded, results } = record(at(''), [...inputs, ...fed], mark => {
    const part = gradientOf(model, tuning, options, values, buffers, { input: input.tensor, labels, seed }, mark)
    averages = [...part.buffers.keys()]
    leftovers = [part.correct, ...part.buffers.values()]
    return [tf.stack([part.loss, part.correct]), several ? tf.mul(part.gradient, share) : part.gradient, ...part.buffers.values()]
  })
  tf.dispose([...leftovers, ...fed.map(([tensor]) => tensor)])
  const nodes = options.train.recompute ? rematerialized(recorded, { starts: marks.slice(0, -2), end: marks.at(-2)!, back: marks.at(-1)! }, LARGE) : recorded
  const [numbers, gradient, ...moved] = results as [string, string, ...string[]]
  const assigns = [(several ? assignAdd : assign)(at('to/sum'), SUM, gradient), ...averages.map((name, i) => assign(at(`to/${name}`), bufferVariable(name), moved[i]!))]
  return [
    input.node, placeholder(at('labels'), 'int32', [size]), placeholder(at('seed'), 'int32', [2]), placeholder(at('share'), 'float32', []),
    ...nodes, ...assigns, after(at('run'), numbers, assigns.map(a => a.name)),
  ]
}

/** Stand for the long vectors while the update is written down: it does the same with every element. */
const STAND_IN = 2

/** Clips the summed gradient, takes an optimiser step with it, clears the sum, and gives the norm. */
function updateGraph({ options, values }: Parts): GraphNode[] {
  const at = (name: string) => `update/${name}`
  const scalars = ['rate', 'first', 'second'], vectors = [VALUES, M, V, DECAYED, SUM]
  const tensors = new Map<string, Tensor>([...scalars.map(name => [name, tf.scalar(1)] as const), ...vectors.map(name => [name, tf.zeros([STAND_IN])] as const)])
  const tensor = (name: string): Tensor => tensors.get(name)!
  const sourceOf = (name: string): string => scalars.includes(name) || name === DECAYED ? at(name) : `${name}/read`
  const { nodes, results } = record(at(''), [...tensors].map(([name, t]) => [t, sourceOf(name)]), () => {
    const rates = { rate: tensor('rate'), first: tensor('first'), second: tensor('second') }
    const next = updateOf(tensor(VALUES), { m: tensor(M), v: tensor(V) }, tensor(DECAYED), tensor(SUM), rates, options.train)
    return [next.norm, next.values, next.m, next.v]
  })
  tf.dispose([...tensors.values()])
  const [norm, ...moved] = results as [string, ...string[]]
  const assigns = [VALUES, M, V].map((name, i) => assign(at(`to/${name}`), name, moved[i]!))
  // where one batch makes a step, its gradient replaces the last one
  const cleared = options.train.accumulate > 1 ? [assign(at('to/sum'), SUM, `${SUM}/zeros`, FLOAT, assigns.map(a => a.name))] : []
  return [
    ...scalars.map(name => placeholder(at(name), 'float32', [])),
    // zeros and ones are the same in half the memory
    cast(at(DECAYED), `${DECAYED}/stored`, [BFLOAT16, FLOAT], values.shape), ...nodes.map(node => inFullLength(node, count(values.shape))),
    ...assigns, ...cleared, after(at('run'), norm, [...assigns, ...cleared].map(a => a.name)),
  ]
}

const inFullLength = (node: GraphNode, length: number): GraphNode =>
  ({ ...node, outputs: node.outputs.map(output => output.dtype === FLOAT && output.shape.length === 1 && output.shape[0] === STAND_IN ? { ...output, shape: [length] } : output) })

function predictGraph(size: number, parts: Parts): GraphNode[] {
  const at = (name: string) => `predict${size}/${name}`
  const { model, tuning, options, values, buffers, inputs } = parts
  return forwardGraph(at, inputFeed(at('input'), size, parts), inputs, input => logitsOf(model, tuning, options, values, buffers, input))
}

/** What enters the first trained stage. */
function keptGraph(size: number, { model, options, inputs }: Parts): GraphNode[] {
  const at = (name: string) => `kept${size}/${name}`
  return forwardGraph(at, feedOf(at('input'), [size, ...enteringShape(model, 0)]), inputs, pixels => keptActivations(model, options, pixels))
}

function forwardGraph(at: (name: string) => string, { node, tensor }: Feed, inputs: Inputs, compute: (input: Tensor) => Tensor): GraphNode[] {
  const { nodes, results } = record(at(''), [...inputs, [tensor, at('input')]], () => [compute(tensor)])
  tensor.dispose()
  return [node, ...nodes, after(at('run'), results[0]!, [])]
}
