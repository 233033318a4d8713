import { AppError } from '../contract/errors'
import type { Shape } from '../contract/model'
import { headsOf, viewsOf, type Model } from './model'
import { createNet, evaluation } from './net'
import { tensorName, type Site } from './sites'
import { tf, type Tensor } from './tf'
import type { Tuning } from './tuning'

/** Every tensor that differs from the frozen backbone, by canonical name, and the shape that they fit. */
export interface Merged { tensors: Map<string, Float32Array>; shape: Shape }

/** The trained method and SAN's scales absorbed into plain weights. values [P], buffers: running averages of gains. */
export async function mergedTensors(model: Model, tuning: Tuning, values: Float32Array, buffers: ReadonlyMap<string, Tensor>): Promise<Merged> {
  if (tuning.san?.config.scope === 'sample') {
    throw new AppError('not-mergeable', 'This run scales each image by its own gain (method.san.scope "sample"), which no weight can hold; train with scope "batch" to export merged weights.')
  }
  const tensors = new Map<string, Float32Array>()
  const flat = tf.tensor1d(values)
  for (const site of model.sites) mergeSite(site, model, tuning, flat, buffers, tensors)
  flat.dispose()
  return { tensors, shape: withProjectionBiases(model.shape, tensors, model.shape.qkvBias) }
}

function mergeSite(site: Site, model: Model, tuning: Tuning, flat: Tensor, buffers: ReadonlyMap<string, Tensor>, into: Map<string, Float32Array>): void {
  tf.tidy(() => {
    const views = viewsOf(flat, tuning.slots)
    if (site.kind === 'embed' || site.kind === 'scale') {
      const trained = views.get(tensorName(site.name, 'weight'))
      if (trained) into.set(tensorName(site.name, 'weight'), trained.dataSync() as Float32Array)
      return
    }
    const touched = tuning.slots.some(s => s.site === site.name) || tuning.san?.propagations.some(p => p.to === site.name)
    if (!touched) return
    const net = createNet(model.frozen, tuning, model.sites, evaluation(headsOf(model.shape), views, buffers))
    const { weight, bias } = net.merged(site.name)
    into.set(tensorName(site.name, 'weight'), weight.dataSync() as Float32Array)
    if (bias) into.set(tensorName(site.name, 'bias'), bias.dataSync() as Float32Array)
  })
}

/** Checkpoints give q, k and v a bias together or not at all: where a shift gave one of them the first, the others get zeros. */
export function withProjectionBiases(shape: Shape, tensors: Map<string, Float32Array>, had: boolean): Shape {
  if (had || ![...tensors.keys()].some(name => /^blocks\.\d+\.[qkv]\.bias$/.test(name))) return shape
  for (let i = 0; i < shape.depth; i++) {
    for (const role of ['q', 'k', 'v']) {
      const name = tensorName(`blocks.${i}.${role}`, 'bias')
      if (!tensors.has(name)) tensors.set(name, new Float32Array(shape.width))
    }
  }
  return { ...shape, qkvBias: true }
}
