import type { Batch } from '../data/types'
import type { Model } from '../model'
import { ratesAt } from '../optim/adamw'
import { count } from '../sites'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { decayMask, pixelTensor, type StepOptions } from './compute'
import { maskSeed } from './eager'
import { canFuse } from './graph/fuse'
import { multiplies } from './graph/matmul'
import { optimized, usualLimits } from './graph/optimize'
import { openSession, type Session, type WithModelFolder } from './graph/session'
import { KeptActivations } from './kept'
import { gathered, joined, piecesOf, readerOf, type Piece } from './pieces'
import type { Moments, Step, StepResult, StepState, Vector, Weights } from './step'
import { bufferVariable, DECAYED, decayedOf, enteringShape, isFrozen, loads, M, restored, trace, traced, V, VALUES, type Sizes } from './trace'

/**
 * The training step as one call into TensorFlow: recorded once from the same functions that the eager step runs, with
 * frozen weights, trained values and moments kept inside the session. A batch goes in; loss and metrics come out. It
 * takes over the model's tensors.
 */
export function createCompiledStep(model: Model, tuning: Tuning, start: Float32Array, options: StepOptions, sizes: Sizes, withFolder: WithModelFolder, limits = usualLimits): Step {
  const pieces = piecesOf(tuning.slots, limits.alone), tensors = traced(model, tuning, pieces, start), recorded = trace({ model, tuning, pieces, options }, sizes, tensors)
  const session = openSession(optimized(recorded, { precision: options.precision, isFrozen, fuses: canFuse(withFolder), multiplies: multiplies(withFolder), limits }), withFolder)
  for (const [i, names] of loads(tensors).entries()) {
    const load = new Map(names.map(name => [name, tensors.get(name)!]))
    session.set(`load${i}`, load)
    tf.dispose([...load.values()])
  }
  const mask = decayMask(tuning)
  tf.tidy(() => session.set('begin', new Map(pieces.map((piece, i) => [DECAYED + i, decayedOf(piece, mask)]))))
  return new CompiledStep(session, tuning, pieces, options, model.shape.imageSize, enteringShape(model, options.from))
}

class CompiledStep implements Step {
  private readonly seed: number
  private readonly averaged: string[]
  private readonly kept: KeptActivations

  constructor(
    private readonly session: Session, tuning: Tuning, private readonly pieces: readonly Piece[], private readonly options: StepOptions, private readonly side: number, private readonly entering: readonly number[],
  ) {
    this.kept = new KeptActivations(count(entering))
    this.seed = maskSeed(options.seed)
    this.averaged = (tuning.san?.buffers ?? []).map(b => b.name)
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
    const whole = (vector: Vector) => joined(this.pieces, i => this.read(vector + i))
    return { values: whole(VALUES), m: whole(M), v: whole(V), buffers: this.averages() }
  }

  averages(): Weights['buffers'] {
    return new Map(this.averaged.map(name => [name, this.read(bufferVariable(name))]))
  }

  reader(vector: Vector): (slot: string) => Float32Array {
    return readerOf(this.pieces, i => this.read(vector + i))
  }

  restore({ values, m, v, buffers }: Weights & Partial<Moments>): void {
    this.assign(VALUES, values, buffers)
    if (m) this.assign(M, m)
    if (v) this.assign(V, v)
  }

  dispose(): void {
    this.session.close()
  }

  private read(name: string): Float32Array {
    const tensor = this.session.get(name), data = Float32Array.from(tensor.dataSync())
    tensor.dispose()
    return data
  }
  /** One vector after another, so that no more than one is there twice. */
  private assign(vector: Vector, flat: Float32Array, buffers: Weights['buffers'] = new Map()): void {
    const inPieces = this.pieces.map((piece, i) => [vector + i, gathered(flat, piece)] as const), averages = [...buffers].map(([name, average]) => [bufferVariable(name), average] as const)
    tf.tidy(() => this.session.set(restored(vector), new Map([...inPieces, ...averages].map(([name, numbers]) => [name, tf.tensor1d(numbers)]))))
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
