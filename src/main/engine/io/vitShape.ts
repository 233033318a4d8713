import { AppError } from '../../contract/errors'
import type { VitShape } from '../../contract/model'
import { count } from '../sites'
import { keyOf, type Naming } from './keymaps/vit'
import { unreadable, type StoredTensor, type TensorStore } from './safetensors'
import type { Facts } from './configs'

/** What the tensors of a ViT checkpoint say about its shape: everything but `Facts`. */
export type TensorFacts = Omit<VitShape, 'heads' | 'epsilon' | 'activation' | 'pool' | 'imageSize' | 'positionInterpolation'>

export function readTensors(store: TensorStore, naming: Naming, file: string): TensorFacts {
  const find = (name: string, gated = false): StoredTensor | undefined => {
    const key = keyOf(naming, name, gated)
    return key === null ? undefined : store.get(key)
  }
  const need = (name: string, gated = false): StoredTensor => find(name, gated) ?? missing(file, [keyOf(naming, name, gated) ?? name])
  const width = count(need('blocks.0.norm1.weight').shape)
  const rest = { ...embedding(find, need, width, naming, file), ...blocks(find, need, width) }
  const head = find('head.bias') ?? find('head.weight')
  const bias = find('patch_embed.bias') !== undefined
  if (bias === rest.preNorm) throw new AppError('model-unsupported', `${file}: a patch embedding ${bias ? 'with' : 'without'} a bias ${bias ? 'before' : 'and without'} norm_pre is not supported.`)
  return {
    family: 'vit', width, ...rest,
    finalNorm: find('norm.weight') !== undefined,
    poolNorm: find('fc_norm.weight') !== undefined,
    classes: head ? classesOf(head, naming) : 0,
    headBias: head ? find('head.bias') !== undefined : true,
    distillationHead: find('head_dist.weight') !== undefined,
  }
}

type Find = (name: string, gated?: boolean) => StoredTensor | undefined
type Need = (name: string, gated?: boolean) => StoredTensor

/** By the bias, or by the weight, which numpy's layers keep the other way round. */
const classesOf = ({ shape }: StoredTensor, naming: Naming): number => shape[shape.length > 1 && naming.format === 'augreg-npz' ? 1 : 0] ?? 0

function embedding(find: Find, need: Need, width: number, naming: Naming, file: string) {
  const kernel = need('patch_embed.weight'), patch = Math.sqrt(count(kernel.shape) / width / 3)
  if (kernel.shape.length !== 4 || !Number.isInteger(patch)) {
    throw new AppError('model-unsupported', `${file}: the patch embedding has the shape [${kernel.shape.join(', ')}]; Engram needs square patches of three channels.`)
  }
  const classToken = find('cls_token.weight') !== undefined, distillationToken = find('dist_token.weight') !== undefined
  const registers = find('reg_token.weight')?.shape[1] ?? 0
  const rows = count(need('pos_embed.weight').shape) / width, prefix = (classToken ? 1 : 0) + (distillationToken ? 1 : 0)
  // in transformers the prefix always has positions; in timm the rows tell, since no two squares are one or two apart
  const positionsOnPrefix = prefix > 0 && (naming.format === 'transformers' || !Number.isInteger(Math.sqrt(rows)))
  const positionGrid = Math.sqrt(positionsOnPrefix ? rows - prefix : rows)
  if (!Number.isInteger(positionGrid) || positionGrid < 1) {
    throw new AppError('model-unsupported', `${file}: ${rows} position embeddings are not a square grid${prefix > 0 ? ` with ${prefix} more` : ''}; Engram works on square images.`)
  }
  return { patch, classToken, distillationToken, registers, positionsOnPrefix, positionGrid }
}

function blocks(find: Find, need: Need, width: number) {
  let depth = 1
  while (find(`blocks.${depth}.norm1.weight`)) depth++
  const gatedFc1 = find('blocks.0.fc1.weight', true), plainFc2 = find('blocks.0.fc2.weight')
  const mlp = count((plainFc2 ?? need('blocks.0.fc2.weight', true)).shape) / width
  return {
    depth, mlp,
    gatedMlp: gatedFc1 !== undefined && count(gatedFc1.shape) === 2 * mlp * width,
    qkvBias: find('blocks.0.q.bias') !== undefined,
    layerScale: find('blocks.0.ls1.weight') !== undefined,
    preNorm: find('norm_pre.weight') !== undefined,
  }
}

export function missing(file: string, keys: readonly string[]): never {
  const more = keys.length > 4 ? ` and ${keys.length - 4} more` : ''
  throw unreadable(file, `misses the tensor${keys.length > 1 ? 's' : ''} ${keys.slice(0, 4).join(', ')}${more}.`)
}

export function vitShape(tensors: TensorFacts, facts: Facts, file: string): VitShape {
  const { pool: chosen, imageSize, ...rest } = facts
  const pool = chosen ?? (tensors.classToken && !tensors.poolNorm ? 'cls' : 'mean')
  if (tensors.width % rest.heads !== 0) throw unreadable(file, `says ${rest.heads} attention heads, which do not divide the width of ${tensors.width}.`)
  if (pool !== 'mean' && !tensors.classToken) throw unreadable(file, 'pools a class token, but its tensors have none.')
  return { ...tensors, ...rest, pool, imageSize: imageSize ?? tensors.positionGrid * tensors.patch }
}
