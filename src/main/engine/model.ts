import type { Shape } from '../contract/model'
import { backboneOf } from './backbones/index'
import { createRandom } from './data/random'
import { createNet, evaluation, type Pass, type TunedNet } from './net'
import { count, tensorName, type Site } from './sites'
import { tf, type Tensor } from './tf'
import { trainableCount, type Slot, type Tuning } from './tuning'

/** Gives a backbone's tensors by canonical name, float32, out x in. */
export type ReadTensor = (name: string) => Promise<Float32Array>

/** A backbone in memory: frozen tensors on the device. */
export interface Model {
  shape: Shape
  sites: Site[]
  frozen: ReadonlyMap<string, Tensor>
  dispose(): void
}

/** Loads every tensor but those in `without` (trained ones of which no original is needed). */
export async function loadModel(shape: Shape, read: ReadTensor, without: ReadonlySet<string> = new Set()): Promise<Model> {
  const sites = backboneOf(shape).sites(shape)
  const frozen = new Map<string, Tensor>()
  for (const site of sites) {
    for (const [tensor, dims] of Object.entries(site.tensors)) {
      const name = tensorName(site.name, tensor)
      if (!without.has(name)) frozen.set(name, tf.tensor(await read(name), [...dims]))
    }
  }
  return { shape, sites, frozen, dispose: () => frozen.forEach(t => t.dispose()) }
}

/** Trained tensors whose frozen original nobody reads again. The head has none; SAN compares with the others. */
export const replacedTensors = (tuning: Tuning): Set<string> =>
  new Set(tuning.slots.filter(s => s.kind === 'head' || (s.kind === 'own' && !tuning.san)).map(s => s.name))

/** Starting values of all trained tensors, one after another in the order of the slots. */
export async function initialValues(tuning: Tuning, seed: number, read: ReadTensor): Promise<Float32Array> {
  const flat = new Float32Array(trainableCount(tuning))
  let at = 0
  for (const slot of tuning.slots) {
    flat.set(await initialValue(slot, seed, read), at)
    at += count(slot.shape)
  }
  return flat
}

async function initialValue(slot: Slot, seed: number, read: ReadTensor): Promise<Float32Array> {
  const random = createRandom(seed, 'init', slot.name), size = count(slot.shape)
  if (slot.kind === 'head') return slot.tensor === 'weight' ? Float32Array.from({ length: size }, () => truncatedNormal(random.normal) * 0.02) : new Float32Array(size)
  if (slot.kind === 'own' || !slot.param) return read(slot.name)
  return slot.param.init(size, { random, base: tensor => read(tensorName(slot.site, tensor)) })
}

/** Within two deviations, as timm initialises heads. */
function truncatedNormal(normal: () => number): number {
  for (;;) {
    const x = normal()
    if (Math.abs(x) <= 2) return x
  }
}

/** The flat vector as tensors by slot name; call inside a tidy. Differentiable. */
export function viewsOf(flat: Tensor, slots: readonly Slot[]): Map<string, Tensor> {
  const parts = slots.length === 1 ? [flat] : tf.split(flat, slots.map(s => count(s.shape)))
  return new Map(slots.map((slot, i) => [slot.name, parts[i]!.reshape([...slot.shape])]))
}

export const initialBuffers = (tuning: Tuning): Map<string, Tensor> =>
  new Map((tuning.san?.buffers ?? []).map(b => [b.name, tf.ones([b.width])]))

export const headsOf = (shape: Shape): number => shape.heads

/** The stages from one on, up to another: x enters the first. The result, and the net it ran in. Call inside a tidy. */
export function run(model: Model, tuning: Tuning | null, pass: Pass, x: Tensor, from = 0, to?: number): { output: Tensor; net: TunedNet } {
  const net = createNet(model.frozen, tuning, model.sites, pass)
  const stages = backboneOf(model.shape).stages(model.shape).slice(from, to)
  const enter = (before: Tensor, stage: (typeof stages)[number]): Tensor => {
    pass.entering?.()
    return stage.run(net, before)
  }
  return { output: stages.reduce(enter, x), net }
}

/** Logits or features of an untuned model. */
export const plainForward = (model: Model, pixels: Tensor): Tensor =>
  tf.tidy(() => run(model, null, evaluation(headsOf(model.shape), new Map(), new Map()), pixels).output)
