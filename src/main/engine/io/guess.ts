import { AppError } from '../../contract/errors'
import { headsOfWidth, type TimmConfig } from './configs'
import type { HfModel, Naming } from './keymaps/vit'
import { unreadable, type TensorStore } from './safetensors'
import type { Hints } from './model'
import { readTensors } from './vitShape'

interface Guess { config: Record<string, unknown>; naming: Naming; notices: string[] }

/** A config for weights that come without one, from the names and shapes of the tensors. */
export function guessConfig(stored: TensorStore, file: string, hints: Hints): Guess {
  if (file.endsWith('.npz')) return guessTimm(npzNaming(stored, file), stored, file, hints)
  if (stored.has('blocks.0.norm1.weight') && stored.has('patch_embed.proj.weight')) return guessTimm({ format: 'timm' }, stored, file, hints)
  const projection = [...stored.keys()].find(key => key.endsWith('embeddings.patch_embeddings.projection.weight'))
  if (projection) return guessHf(projection, stored, file, hints)
  throw new AppError('model-unsupported', `${file}: these are not the tensors of a vision transformer that Engram knows, and no config.json says what they are.`,
    { hint: 'Put the model\'s config.json beside the weights.' })
}

function npzNaming(stored: TensorStore, file: string): Naming {
  const embedding = [...stored.keys()].find(key => key.endsWith('embedding/kernel'))
  const prefix = embedding?.slice(0, -'embedding/kernel'.length)
  if (prefix === undefined || !stored.has(`${prefix}Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel`)) {
    throw new AppError('model-unsupported', `${file}: these are not the arrays of a vision transformer as Google's augreg checkpoints name them.`)
  }
  return { format: 'augreg-npz', prefix }
}

function guessTimm(naming: Naming, stored: TensorStore, file: string, hints: Hints): Guess {
  const shape = readTensors(stored, naming, file)
  const query = naming.format === 'augreg-npz' ? stored.get(`${naming.prefix}Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel`) : undefined
  const heads = query?.shape[1] ?? hints.heads ?? guessHeads(shape.width, file)
  const side = shape.positionGrid * shape.patch
  const config: TimmConfig = {
    architecture: timmName(shape), num_classes: shape.classes, num_features: shape.width,
    model_args: {
      img_size: [side, side], patch_size: shape.patch, embed_dim: shape.width, depth: shape.depth, num_heads: heads,
      mlp_ratio: mlpRatio(shape), qkv_bias: shape.qkvBias, num_classes: shape.classes,
      ...(shape.layerScale ? { init_values: 1e-5 } : {}),
      ...(shape.classToken ? {} : { class_token: false }),
      ...(shape.classToken && !shape.positionsOnPrefix || shape.registers > 0 ? { no_embed_class: true } : {}),
      ...(shape.registers > 0 ? { reg_tokens: shape.registers } : {}),
      fc_norm: shape.poolNorm, global_pool: shape.poolNorm || !shape.classToken ? 'avg' : 'token',
    },
  }
  const notices = query ? [] : [
    `No config.json: ${hints.heads ? '' : `${heads} attention heads (64 channels each, as published models have) and `}${config.architecture.includes('_clip_') ? 'CLIP\'s' : 'timm\'s'} usual epsilon and GELU were assumed.`,
  ]
  return { config, naming, notices }
}

/** timm's architecture of this kind; its sizes are written out beside it. The name still sets epsilon and activation. */
export function timmName(s: { width: number; preNorm: boolean; distillationToken: boolean; layerScale: boolean; patch: number; gatedMlp: boolean }): string {
  if (s.preNorm) return 'vit_base_patch16_clip_224'
  if (s.distillationToken) return 'deit_base_distilled_patch16_224'
  if (s.gatedMlp) return 'vit_giant_patch14_dinov2'
  const size = s.width <= 192 ? 'tiny' : s.width <= 384 ? 'small' : s.width <= 768 ? 'base' : 'large'
  return s.layerScale && s.patch === 14 ? `vit_${size === 'tiny' ? 'small' : size}_patch14_dinov2` : `vit_${size}_patch16_224`
}

/** timm takes the whole part of width times ratio, and counts gate and up together. */
export function mlpRatio({ mlp, width, gatedMlp }: { mlp: number; width: number; gatedMlp: boolean }): number {
  const hidden = gatedMlp ? 2 * mlp : mlp, ratio = hidden / width
  return Math.trunc(width * ratio) === hidden ? ratio : (hidden + 0.5) / width
}

function guessHeads(width: number, file: string): number {
  const heads = headsOfWidth(width)
  if (heads !== null) return heads
  throw unreadable(file, `does not tell the number of attention heads, and a width of ${width} is no multiple of the usual 64.`,
    'Put a config.json beside it, with "architecture" and "model_args": {"num_heads": …}.')
}

function guessHf(projection: string, stored: TensorStore, file: string, hints: Hints): Guess {
  const prefix = projection.slice(0, projection.indexOf('embeddings.'))
  const has = (key: string) => stored.has(prefix + key)
  const model: HfModel = has('embeddings.register_tokens') ? 'dinov2_with_registers' : has('encoder.layer.0.layer_scale1.lambda1') ? 'dinov2'
    : has('embeddings.distillation_token') ? 'deit' : 'vit'
  const naming: Naming = { format: 'transformers', model, prefix, teacher: stored.has('cls_classifier.weight') }
  const shape = readTensors(stored, naming, file)
  const heads = hints.heads ?? guessHeads(shape.width, file)
  const config = {
    model_type: model, architectures: [], hidden_size: shape.width, num_attention_heads: heads, num_hidden_layers: shape.depth,
    patch_size: shape.patch, image_size: shape.positionGrid * shape.patch, qkv_bias: shape.qkvBias, hidden_act: 'gelu',
    ...(model.startsWith('dinov2') ? { mlp_ratio: shape.gatedMlp ? 4 : shape.mlp / shape.width, use_swiglu_ffn: shape.gatedMlp } : { intermediate_size: shape.mlp }),
    ...(shape.registers > 0 ? { num_register_tokens: shape.registers } : {}),
  }
  return { config, naming, notices: [`No config.json: taken for ${model} of transformers with ${heads} attention heads and its usual epsilon and GELU.`] }
}
