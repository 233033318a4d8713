import type { Batch } from '../data/types'
import { initialBuffers, type Model } from '../model'
import { ratesAt } from '../optim/adamw'
import { count } from '../sites'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { backboneOf } from '../backbones/index'
import { decayMask, gradientOf, keptActivations, logitsOf, pixelTensor, updateOf, type StepOptions } from './compute'
import { maskSeed } from './eager'
import { KeptActivations } from './kept'
import { canFuse } from './graph/fuse'
import { FLOAT, type GraphNode } from './graph/graphDef'
import { optimized, usualLimits } from './graph/optimize'
import { record } from './graph/record'
import { after, assign, group, openSession, placeholder, variable, type Session, type WithModelFolder } from './graph/session'
import type { Step, StepResult, StepState } from './step'

/** Batch sizes that will come: each has a part of the graph with its shapes. */
export interface Sizes { train: readonly number[]; predict: readonly number[] }

/**
 * The training step as one call into TensorFlow: recorded once from the same functions that the eager step runs, with
 * frozen weights, trained values and moments kept inside the session. A batch goes in; loss and metrics come out. It
 * takes over the model's tensors.
 */
export function createCompiledStep(model: Model, tuning: Tuning, start: Float32Array, options: StepOptions, sizes: Sizes, withFolder: WithModelFolder, limits = usualLimits): Step {
  const kept = residents(model, tuning, start)
  const recorded = graphOf(model, tuning, options, sizes, kept), isFrozen = (name: string) => name.startsWith(FROZEN)
  const session = openSession(optimized(recorded, { precision: options.precision, isFrozen, fuses: canFuse(withFolder), limits }), withFolder)
  session.set('all', kept)
  for (const [name, tensor] of kept) if (!name.startsWith(FROZEN)) tensor.dispose()
  model.dispose()
  const entering = enteringShape(model, options.from)
  return new CompiledStep(session, tuning, options, model.shape.imageSize, entering)
}

const FROZEN = 'frozen/'
const VALUES = 'values', M = 'm', V = 'v', SUM = 'sum', DECAYED = 'decayed'
const bufferVariable = (name: string): string => `buffer/${name}`

/** Everything that stays inside the session, by the name of its variable. */
function residents(model: Model, tuning: Tuning, start: Float32Array): Map<string, Tensor> {
  const zeros = () => tf.zeros([start.length])
  return new Map<string, Tensor>([
    ...[...model.frozen].map(([name, tensor]) => [FROZEN + name, tensor] as const),
    ...[...initialBuffers(tuning)].map(([name, tensor]) => [bufferVariable(name), tensor] as const),
    [VALUES, tf.tensor1d(start)], [M, zeros()], [V, zeros()], [SUM, zeros()], [DECAYED, tf.tensor1d(decayMask(tuning))],
  ])
}

type Inputs = [Tensor, string][]

function graphOf(model: Model, tuning: Tuning, options: StepOptions, sizes: Sizes, kept: ReadonlyMap<string, Tensor>): GraphNode[] {
  const inputs: Inputs = [...kept].map(([name, tensor]) => [tensor, `${name}/read`])
  const buffers = new Map((tuning.san?.buffers ?? []).map(({ name }) => [name, kept.get(bufferVariable(name))!]))
  const parts = { model, tuning, options, kept, buffers, inputs }
  return [
    ...[...kept].flatMap(([name, tensor]) => variable(name, tensor.shape, FLOAT)),
    ...group('all', [...kept.keys()]), ...group('state', [VALUES, M, V, ...[...buffers.keys()].map(bufferVariable)]),
    ...[...new Set(sizes.train)].flatMap(size => gradientGraph(size, parts)),
    ...updateGraph(parts),
    ...[...new Set(sizes.predict)].flatMap(size => predictGraph(size, parts)),
    ...(options.from > 0 ? [...new Set([...sizes.train, ...sizes.predict])].flatMap(size => keptGraph(size, parts)) : []),
  ]
}

interface Parts { model: Model; tuning: Tuning; options: StepOptions; kept: ReadonlyMap<string, Tensor>; buffers: Map<string, Tensor>; inputs: Inputs }

interface Feed { node: GraphNode; tensor: Tensor }
const feedOf = (name: string, shape: readonly number[]): Feed => ({ node: placeholder(name, 'float32', shape), tensor: tf.zeros([...shape]) })
const enteringShape = ({ shape }: Model, stage: number): readonly number[] => backboneOf(shape).stages(shape)[stage]!.entering
const inputFeed = (name: string, size: number, { model, options }: Parts): Feed => feedOf(name, [size, ...enteringShape(model, options.from)])

/** Adds a batch's share of the gradient to the sum, moves the running averages, and gives [loss, correct]. */
function gradientGraph(size: number, parts: Parts): GraphNode[] {
  const at = (name: string) => `gradient${size}/${name}`
  const { model, tuning, options, kept, buffers, inputs } = parts
  const input = inputFeed(at('input'), size, parts)
  const labels = tf.zeros([size], 'int32'), seed = tf.zeros([2], 'int32'), share = tf.scalar(1)
  const fed: Inputs = [[input.tensor, at('input')], [labels, at('labels')], [seed, at('seed')], [share, at('share')]]
  let averages: string[] = [], leftovers: Tensor[] = []
  const { nodes, results } = record(at(''), [...inputs, ...fed], () => {
    const part = gradientOf(model, tuning, options, kept.get(VALUES)!, buffers, { input: input.tensor, labels, seed })
    averages = [...part.buffers.keys()]
    const all = [tf.stack([part.loss, part.correct]), tf.add(kept.get(SUM)!, tf.mul(part.gradient, share)), ...part.buffers.values()]
    leftovers = [part.correct, ...part.buffers.values()]
    return all
  })
  tf.dispose([...leftovers, ...fed.map(([tensor]) => tensor)])
  const targets = [SUM, ...averages.map(bufferVariable)]
  const assigns = targets.map((name, i) => assign(at(`to/${name}`), name, results[i + 1]!))
  return [
    input.node, placeholder(at('labels'), 'int32', [size]), placeholder(at('seed'), 'int32', [2]), placeholder(at('share'), 'float32', []),
    ...nodes, ...assigns, after(at('run'), results[0]!, assigns.map(a => a.name)),
  ]
}

/** Clips the summed gradient, takes an optimiser step with it, clears the sum, and gives the norm. */
function updateGraph({ options, kept, inputs }: Parts): GraphNode[] {
  const at = (name: string) => `update/${name}`
  const rates = { rate: tf.scalar(1), first: tf.scalar(1), second: tf.scalar(1) }
  const fed: Inputs = [[rates.rate, at('rate')], [rates.first, at('first')], [rates.second, at('second')]]
  const { nodes, results } = record(at(''), [...inputs, ...fed], () => {
    const sum = kept.get(SUM)!
    const next = updateOf(kept.get(VALUES)!, { m: kept.get(M)!, v: kept.get(V)! }, kept.get(DECAYED)!, sum, rates, options.train)
    return [next.norm, next.values, next.m, next.v, tf.zerosLike(sum)]
  })
  tf.dispose(Object.values(rates) as Tensor[])
  const assigns = [VALUES, M, V, SUM].map((name, i) => assign(at(`to/${name}`), name, results[i + 1]!))
  return [
    ...['rate', 'first', 'second'].map(name => placeholder(at(name), 'float32', [])),
    ...nodes, ...assigns, after(at('run'), results[0]!, assigns.map(a => a.name)),
  ]
}

function predictGraph(size: number, parts: Parts): GraphNode[] {
  const at = (name: string) => `predict${size}/${name}`
  const { model, tuning, options, kept, buffers, inputs } = parts
  return forwardGraph(at, inputFeed(at('input'), size, parts), inputs, input => logitsOf(model, tuning, options, kept.get(VALUES)!, buffers, input))
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

class CompiledStep implements Step {
  private readonly seed: number
  private readonly averages: string[]
  private readonly kept: KeptActivations

  constructor(
    private readonly session: Session, tuning: Tuning, private readonly options: StepOptions, private readonly side: number, private readonly entering: readonly number[],
  ) {
    this.kept = new KeptActivations(count(entering))
    this.seed = maskSeed(options.seed)
    this.averages = (tuning.san?.buffers ?? []).map(b => b.name)
  }

  async train(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult> {
    const images = batches.reduce((n, b) => n + b.labels.length, 0)
    let loss = 0, correct = 0
    for (const [i, batch] of batches.entries()) {
      const share = batch.labels.length / images
      const [partLoss, partCorrect] = this.gradient(batch, step * this.options.train.accumulate + i, share)
      loss += share * partLoss
      correct += partCorrect
    }
    return { loss, correct, images, gradientNorm: this.update(step, learningRate) }
  }

  async predict(pixels: Uint8Array, images: number, indices?: Int32Array): Promise<Float32Array> {
    const at = `predict${images}`
    return this.fetch({ [`${at}/input`]: this.inputOf(pixels, images, indices) }, `${at}/run`)
  }

  async state(): Promise<StepState> {
    const read = (name: string): Float32Array => {
      const tensor = this.session.get(name), data = Float32Array.from(tensor.dataSync())
      tensor.dispose()
      return data
    }
    return { values: read(VALUES), m: read(M), v: read(V), buffers: new Map(this.averages.map(name => [name, read(bufferVariable(name))])) }
  }

  restore({ values, m, v, buffers }: StepState): void {
    const data = new Map([[VALUES, values], [M, m], [V, v], ...[...buffers].map(([name, average]) => [bufferVariable(name), average] as const)])
    tf.tidy(() => this.session.set('state', new Map([...data].map(([name, numbers]) => [name, tf.tensor1d(numbers)]))))
  }

  dispose(): void {
    this.session.close()
  }

  /** What the trained part reads: pixels, or what was kept of these images. */
  private inputOf(pixels: Uint8Array, images: number, indices?: Int32Array): Tensor {
    if (this.options.from === 0) return pixelTensor(pixels, images, this.side)
    const known = indices && this.kept.find(indices)
    const activations = known ?? this.fetch({ [`kept${images}/input`]: pixelTensor(pixels, images, this.side) }, `kept${images}/run`)
    if (indices && !known) this.kept.keep(indices, activations)
    return tf.tensor(activations, [images, ...this.entering])
  }

  private gradient({ pixels, labels, indices }: Batch, number: number, share: number): [number, number] {
    const at = `gradient${labels.length}`
    const feeds = {
      [`${at}/input`]: this.inputOf(pixels, labels.length, indices), [`${at}/labels`]: tf.tensor1d(labels, 'int32'),
      [`${at}/seed`]: tf.tensor1d([this.seed, number], 'int32'), [`${at}/share`]: tf.scalar(share),
    }
    return [...this.fetch(feeds, `${at}/run`)] as [number, number]
  }

  private update(step: number, learningRate: number): number {
    const rates = ratesAt(step + 1, learningRate, this.options.train)
    const feeds = Object.fromEntries(Object.entries(rates).map(([name, value]) => [`update/${name}`, tf.scalar(value) as Tensor]))
    return this.fetch(feeds, 'update/run')[0] ?? NaN
  }

  private fetch(feeds: Readonly<Record<string, Tensor>>, node: string): Float32Array {
    const [result] = this.session.run(feeds, [node]) as [Tensor]
    const data = result.dataSync() as Float32Array
    tf.dispose([result, ...Object.values(feeds)])
    return data
  }
}
