import { backboneOf } from '../backbones/index'
import { initialBuffers, type Model } from '../model'
import { globalNorm } from '../optim/adamw'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { gradientOf, keptActivations, logitsOf, updateOf, type StepOptions, type Trained } from './compute'
import { BFLOAT16, FLOAT, type GraphNode } from './graph/graphDef'
import { record, standIn } from './graph/record'
import { rematerialized } from './graph/rematerialize'
import { after, assign, assignAdd, cast, group, placeholder, released, variable, zeroed } from './graph/session'
import { gathered, type Piece } from './pieces'

/** Writes down what a training step computes: a part of the graph for each batch size, and one for the update. */

/** Batch sizes that will come. */
export interface Sizes { train: readonly number[]; predict: readonly number[] }

const FROZEN = 'frozen/'
export const isFrozen = (variableName: string): boolean => variableName.startsWith(FROZEN)
export const VALUES = 'values', M = 'm', V = 'v', DECAYED = 'decayed'
const SUM = 'sum'
export const restored = (vector: string): string => `restore/${vector}`
export const bufferVariable = (name: string): string => `buffer/${name}`

/** The tensors that a trace reads, by the name of the variable that will hold them. */
export const traced = (model: Model, tuning: Tuning, pieces: readonly Piece[], start: Float32Array): Map<string, Tensor> => new Map<string, Tensor>([
  ...[...model.frozen].map(([name, tensor]) => [FROZEN + name, tensor] as const),
  ...[...initialBuffers(tuning)].map(([name, tensor]) => [bufferVariable(name), tensor] as const),
  ...pieces.map((piece, i) => [VALUES + i, tf.tensor1d(gathered(start, piece))] as const),
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
/** What is trained, and how. */
export interface Subject { model: Model; tuning: Tuning; pieces: readonly Piece[]; options: StepOptions }
interface Parts extends Subject { trained: Trained; buffers: Map<string, Tensor>; inputs: Inputs }

/** `load0/set` and so on and `begin/set` fill every variable; those that training changes are filled by `restore/…/set`, a vector at a time, running averages with the values. */
export function trace(subject: Subject, sizes: Sizes, tensors: ReadonlyMap<string, Tensor>): GraphNode[] {
  const standIns = new Map([...tensors].map(([name, { shape }]) => [name, standIn(shape)]))
  try {
    return graphOf(partsWith(standIns, subject), tensors, sizes)
  } finally {
    tf.dispose([...standIns.values()])
  }
}

/** What is traced reads shapes alone: the weights themselves need not be in TensorFlow's hands for it. */
function partsWith(standIns: ReadonlyMap<string, Tensor>, { model, tuning, pieces, options }: Subject): Parts {
  const frozen = new Map([...model.frozen.keys()].map(name => [name, standIns.get(FROZEN + name)!]))
  const buffers = new Map((tuning.san?.buffers ?? []).map(({ name }) => [name, standIns.get(bufferVariable(name))!]))
  const inputs: Inputs = [...standIns].map(([name, tensor]) => [tensor, `${name}/read`])
  const trained = pieces.map(({ slots }, i) => ({ tensor: standIns.get(VALUES + i)!, slots }))
  return { model: { ...model, frozen }, tuning, pieces, options, trained, buffers, inputs }
}

function graphOf(parts: Parts, tensors: ReadonlyMap<string, Tensor>, sizes: Sizes): GraphNode[] {
  const { options, pieces, buffers } = parts, each = (names: string[]) => pieces.flatMap((_, i) => names.map(name => name + i))
  const assigned = (names: string[]) => names.map(name => `${name}/assign`)
  return [
    ...[...tensors].flatMap(([name, tensor]) => variable(name, tensor.shape, FLOAT)), 
    ...pieces.flatMap((piece, i) => [...variable(DECAYED + i, decayedShape(piece), BFLOAT16), ...[M, V, SUM].flatMap(name => zeroed(name + i, [piece.size]))]),
    ...loads(tensors).flatMap((names, i) => group(`load${i}`, assigned(names))),
    ...group('begin', [...assigned(each([DECAYED])), ...each(options.train.accumulate > 1 ? [M, V, SUM] : [M, V]).map(name => `${name}/clear`)]),
    ...group(restored(VALUES), assigned([...each([VALUES]), ...[...buffers.keys()].map(bufferVariable)])),
    ...[M, V].flatMap(name => group(restored(name), assigned(each([name])))),
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
  const { model, tuning, options, pieces, trained, buffers, inputs } = parts
  const input = inputFeed(at('input'), size, parts), several = options.train.accumulate > 1
  const labels = tf.zeros([size], 'int32'), seed = tf.zeros([2], 'int32'), share = tf.scalar(1)
  const fed: Inputs = [[input.tensor, at('input')], [labels, at('labels')], [seed, at('seed')], [share, at('share')]]
  let averages: string[] = [], leftovers: Tensor[] = []
  const { marks, nodes: recorded, results } = record(at(''), [...inputs, ...fed], mark => {
    const part = gradientOf(model, tuning, options, trained, buffers, { input: input.tensor, labels, seed }, mark)
    averages = [...part.buffers.keys()]
    leftovers = [part.correct, ...part.buffers.values()]
    return [tf.stack([part.loss, part.correct]), ...part.gradients.map(gradient => several ? tf.mul(gradient, share) : gradient), ...part.buffers.values()]
  })
  tf.dispose([...leftovers, ...fed.map(([tensor]) => tensor)])
  const nodes = options.train.recompute ? rematerialized(recorded, { starts: marks.slice(0, -2), end: marks.at(-2)!, back: marks.at(-1)! }, LARGE) : recorded
  const [numbers, ...others] = results as [string, ...string[]], gradients = others.slice(0, pieces.length), moved = others.slice(pieces.length)
  const assigns = [...gradients.map((gradient, i) => (several ? assignAdd : assign)(at(`to/sum${i}`), SUM + i, gradient)), ...averages.map((name, i) => assign(at(`to/${name}`), bufferVariable(name), moved[i]!))]
  return [
    input.node, placeholder(at('labels'), 'int32', [size]), placeholder(at('seed'), 'int32', [2]), placeholder(at('share'), 'float32', []),
    ...nodes, ...assigns, after(at('run'), numbers, assigns.map(a => a.name)),
  ]
}

/** What a piece's decay mask is made of: one number where all of it is decayed alike. */
const decayedShape = ({ slots, size }: Piece): number[] => slots.length === 1 ? [] : [size]
/** 1 where weight decay applies to a piece, else 0; call inside a tidy. */
export const decayedOf = (piece: Piece, mask: Float32Array): Tensor => {
  const own = gathered(mask, piece)
  return piece.slots.length === 1 ? tf.scalar(own[0]!) : tf.tensor1d(own)
}

const RATES = ['rate', 'first', 'second'] as const

/** Clips the summed gradients, takes an optimiser step with them, clears the sums, and gives the norm. */
function updateGraph({ options, pieces }: Parts): GraphNode[] {
  const at = (name: string) => `update/${name}`
  const rates = Object.fromEntries(RATES.map(name => [name, tf.scalar(1)])) as Record<typeof RATES[number], Tensor>
  const own = pieces.map(piece => ({ values: standIn([piece.size]), m: standIn([piece.size]), v: standIn([piece.size]), sum: standIn([piece.size]), turn: standIn([piece.size]), decayed: tf.zeros(decayedShape(piece)) }))
  const inputs = own.flatMap(({ values, m, v, sum, turn, decayed }, i): Inputs => [
    [values, `${VALUES}${i}/read`], [m, `${M}${i}/read`], [v, `${V}${i}/read`], [sum, `${SUM}${i}/read`], [turn, at(`turn${i}`)], [decayed, at(DECAYED + i)],
  ])
  const { marks, nodes, results } = record(at(''), [...RATES.map(name => [rates[name], at(name)] as [Tensor, string]), ...inputs], mark => {
    const norm = globalNorm(own.map(({ sum }) => sum))
    return [norm, ...own.flatMap(({ values, m, v, turn, decayed }) => {
      mark()
      const next = updateOf(values, { m, v }, decayed, turn, norm, rates, options.train)
      return [next.values, next.m, next.v]
    })]
  })
  tf.dispose([...Object.values(rates), ...own.flatMap(one => Object.values(one))])
  const [norm, ...moved] = results as [string, ...string[]]
  const updates = pieces.map((_, i) => pieceUpdate(i, nodes.slice(marks[i], marks[i + 1]), moved.slice(3 * i, 3 * i + 3), options.train.accumulate > 1))
  return [
    ...RATES.map(name => placeholder(at(name), 'float32', [])), ...nodes.slice(0, marks[0]), ...updates.flatMap((nodes, i) => [
      // a mask of zeros and ones is the same in half the memory
      cast(at(DECAYED + i), `${DECAYED}${i}/stored`, [BFLOAT16, FLOAT], decayedShape(pieces[i]!)),
      // pieces one after another: what is new of one replaces what was before the next is computed
      { ...after(at(`turn${i}`), `${SUM}${i}/read`, i === 0 ? [] : [at(`to/${VALUES}${i - 1}`), at(`to/${M}${i - 1}`), at(`to/${V}${i - 1}`)]), outputs: [{ dtype: FLOAT, shape: [pieces[i]!.size] }] },
      ...nodes,
    ]),
    after(at('run'), norm, updates.flatMap(nodes => nodes.filter(n => n.name.startsWith(at('to/'))).map(n => n.name))),
  ]
}

/** The operations that make a piece's new values and moments, and their assignment. What was summed is not kept: zeros where more is added to it, else nothing. */
function pieceUpdate(i: number, nodes: readonly GraphNode[], moved: readonly string[], several: boolean): GraphNode[] {
  const to = (name: string) => `update/to/${name}${i}`
  const assigns = [VALUES, M, V].map((name, k) => assign(to(name), name + i, moved[k]!))
  const done = assigns.map(a => a.name)
  return [...nodes, ...assigns, several ? assign(to(SUM), SUM + i, `${SUM}${i}/zeros`, FLOAT, done) : released(to(SUM), SUM + i, done)]
}

function predictGraph(size: number, parts: Parts): GraphNode[] {
  const at = (name: string) => `predict${size}/${name}`
  const { model, tuning, options, trained, buffers, inputs } = parts
  return forwardGraph(at, inputFeed(at('input'), size, parts), inputs, input => logitsOf(model, tuning, options, trained, buffers, input))
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
