import { AppError } from '../../contract/errors'
import type { VitShape } from '../../contract/model'
import { positionRows } from '../backbones/vit'
import { withProjectionBiases } from '../merge'
import { interpolatePositions } from '../nn/positions'
import { tf } from '../tf'
import { isDino } from './configs'
import type { Naming } from './keymaps/vit'
import type { OpenedModel } from './model'

/** A tuned model in the words of the source's library: a shape that it can build, and the tensors for it. */
export interface Expressed {
  shape: VitShape
  naming: Naming
  /** tensors that are not the source's own, by Engram's names */
  changed: Map<string, Float32Array>
}

const cannot = (what: string, hint: string) => new AppError('not-mergeable', what, { hint })

/**
 * timm and transformers fix some things that Engram leaves open. Where an equal model exists within their limits, this
 * finds it; where none does, it says so.
 */
export async function express(opened: OpenedModel, shape: VitShape, tensors: ReadonlyMap<string, Float32Array>): Promise<Expressed> {
  const changed = new Map(tensors)
  const read = async (name: string): Promise<Float32Array> => changed.get(name) ?? opened.read(name)
  const { shape: headed, naming } = expressHead(opened, shape, changed)
  let out = withProjectionBiases(withHeadBias(headed, changed), changed, opened.shape.qkvBias)
  if (changed.has('patch_embed.bias') && out.preNorm) await foldPatchBias(out, changed, read)
  if (naming.format === 'transformers' && !isDino(naming.model)) out = await fixPositions(out, changed, read)
  return { shape: out, naming, changed }
}

/** Pooling and head. Changes `head.weight` and `head.bias` in place where the library's own head is another one. */
export function expressHead(opened: OpenedModel, shape: VitShape, changed: Map<string, Float32Array>): Pick<Expressed, 'shape' | 'naming'> {
  const { naming } = opened
  if (naming.format !== 'transformers') return { naming: { format: 'timm' }, shape: timmHead(opened, shape, changed) }
  if (shape.classes === 0) return { naming, shape }
  const target: Naming = { ...naming, prefix: `${naming.model}.`, teacher: shape.distillationHead }
  if (!isDino(naming.model)) {
    if (shape.pool !== 'cls') throw cannot(`${naming.model} of transformers classifies the class token; a head on ${poolName(shape)} cannot be expressed there.`, 'Train with pool "cls" to export, or export from a timm checkpoint.')
    return { naming: target, shape }
  }
  const weight = changed.get('head.weight')
  if (shape.pool !== 'cls+mean' && weight) changed.set('head.weight', padded(weight, shape))
  return { naming: target, shape: { ...shape, pool: 'cls+mean' } }
}

const poolName = (s: VitShape): string => s.pool === 'mean' ? 'the mean of the patches' : 'class token and mean together'

/** DINOv2's classifier reads the class token and the mean of the patches: the half that was not used gets zeros. */
function padded(weight: Float32Array, s: VitShape): Float32Array {
  const out = new Float32Array(weight.length * 2), width = s.width, at = s.pool === 'mean' ? width : 0
  for (let c = 0; c < s.classes; c++) out.set(weight.subarray(c * width, (c + 1) * width), c * 2 * width + at)
  return out
}

function timmHead(opened: OpenedModel, shape: VitShape, changed: Map<string, Float32Array>): VitShape {
  if (shape.pool === 'cls+mean') throw cannot('timm has no pooling that joins class token and mean; a head on both cannot be expressed there.', 'Train with pool "cls" or "mean" to export.')
  if (!shape.distillationToken || shape.classes === 0) return shape
  if (shape.pool === 'mean') throw cannot('timm\'s distilled DeiT classifies its tokens; a head on the mean of the patches cannot be expressed there.', 'Train with pool "cls" to export.')
  const weight = changed.get('head.weight')
  if (shape.distillationHead || !weight) return { ...shape, distillationHead: opened.shape.distillationHead }
  // its logits are the mean of two heads: twice the one, and nothing
  changed.set('head.weight', weight.map(x => 2 * x))
  changed.set('head_dist.weight', new Float32Array(weight.length))
  changed.set('head.bias', (changed.get('head.bias') ?? new Float32Array(shape.classes)).map(x => 2 * x))
  changed.set('head_dist.bias', new Float32Array(shape.classes))
  return { ...shape, distillationHead: true, headBias: true }
}

/** The libraries give a head always a bias. */
function withHeadBias(shape: VitShape, changed: Map<string, Float32Array>): VitShape {
  const fill = (name: string) => { if (!changed.has(name)) changed.set(name, new Float32Array(shape.classes)) }
  if (shape.classes > 0 && !shape.headBias) {
    fill('head.bias')
    if (shape.distillationHead) fill('head_dist.bias')
  }
  return { ...shape, headBias: true }
}

/** timm's patch embedding has no bias before norm_pre; added to every patch's position it does the same. */
async function foldPatchBias(s: VitShape, changed: Map<string, Float32Array>, read: (name: string) => Promise<Float32Array>): Promise<void> {
  const table = (await read('pos_embed.weight')).slice(), bias = changed.get('patch_embed.bias')!
  const first = positionRows(s) - s.positionGrid ** 2
  for (let row = first; row < positionRows(s); row++) for (let c = 0; c < s.width; c++) table[row * s.width + c]! += bias[c]!
  changed.set('pos_embed.weight', table)
  changed.delete('patch_embed.bias')
}

/** ViT and DeiT of transformers take images of one size, that of their position table; the table is resampled to it. */
async function fixPositions(s: VitShape, changed: Map<string, Float32Array>, read: (name: string) => Promise<Float32Array>): Promise<VitShape> {
  const grid = Math.floor(s.imageSize / s.patch)
  if (grid === s.positionGrid) return s
  const table = await read('pos_embed.weight')
  const resampled = tf.tidy(() => interpolatePositions(tf.tensor2d(table, [positionRows(s), s.width]), s.positionGrid, grid, grid, s.positionInterpolation).dataSync())
  changed.set('pos_embed.weight', Float32Array.from(resampled))
  return { ...s, positionGrid: grid }
}

