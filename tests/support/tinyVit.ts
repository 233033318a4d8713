import type { VitShape } from '../../src/main/contract/model'
import { sites as vitSites } from '../../src/main/engine/backbones/vit'
import { createRandom } from '../../src/main/engine/data/random'
import type { ReadTensor } from '../../src/main/engine/model'
import { count, tensorName } from '../../src/main/engine/sites'

/** Width 64, 2 blocks, 4 heads, MLP 256, 10 classes. */
export const tinyShape: VitShape = {
  family: 'vit', imageSize: 16, patch: 4, width: 64, depth: 2, heads: 4, mlp: 256, classToken: true, distillationToken: false, registers: 0,
  positionsOnPrefix: true, positionGrid: 4, positionInterpolation: 'timm', qkvBias: true, layerScale: true, preNorm: false, finalNorm: true,
  poolNorm: false, pool: 'cls', gatedMlp: false, activation: 'gelu', epsilon: 1e-6, headBias: true, distillationHead: false, classes: 10,
}

/** Random weights of lively scale, the same for the same seed. */
export function randomWeights(shape: VitShape, seed = 1): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>()
  for (const site of vitSites(shape)) {
    for (const [tensor, dims] of Object.entries(site.tensors)) {
      const random = createRandom(seed, site.name, tensor), center = (site.kind === 'norm' || site.kind === 'scale') && tensor === 'weight' ? 1 : 0
      weights.set(tensorName(site.name, tensor), Float32Array.from({ length: count(dims) }, () => center + random.normal() * (center ? 0.2 : 0.1)))
    }
  }
  return weights
}

export const reader = (weights: ReadonlyMap<string, Float32Array>): ReadTensor => async name => {
  const found = weights.get(name)
  if (!found) throw new Error(`no tensor ${name}`)
  return found.slice()
}

export function randomPixels(images: number, size: number, seed = 7): Uint8Array {
  const random = createRandom(seed, 'pixels')
  return Uint8Array.from({ length: images * size * size * 3 }, () => random.int(256))
}
