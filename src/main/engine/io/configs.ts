import { z } from 'zod'
import { AppError, issueWords } from '../../contract/errors'
import type { VitShape } from '../../contract/model'
import { decodeUtf8, type Files } from './bytes'
import type { HfModel } from './keymaps/vit'
import { unreadable } from './safetensors'
import type { TensorFacts } from './vitShape'

/** What the config.json files of timm and transformers say, and what their libraries take for granted. */

const Side = z.union([z.int().min(1), z.array(z.int().min(1)).length(2)])
const three = <S extends z.ZodType>(each: S) => z.array(each).length(3, 'needs three numbers: Engram works on images of three channels')
const Mean = three(z.number()), Deviation = three(z.number().positive())
/** timm writes names as a list, or by number where there are gaps. */
const Labels = z.union([z.array(z.string()), z.record(z.string(), z.string())])

/** Either library's, before it is known whose. */
export const AnyConfig = z.looseObject({ architecture: z.unknown().optional(), model_type: z.unknown().optional() })

export const TimmConfig = z.looseObject({
  architecture: z.string(),
  num_classes: z.int().min(0).optional(),
  global_pool: z.string().nullish(),
  label_names: Labels.nullish(),
  model_args: z.looseObject({
    img_size: Side.nullish(), num_heads: z.int().min(1).nullish(), global_pool: z.string().nullish(),
    act_layer: z.string().nullish(), class_token: z.boolean().nullish(), norm_layer: z.string().nullish(),
    embed_dim: z.int().nullish(), depth: z.int().nullish(), patch_size: Side.nullish(),
    no_embed_class: z.boolean().nullish(), pool_include_prefix: z.boolean().nullish(), dynamic_img_pad: z.boolean().nullish(),
  }).nullish(),
  pretrained_cfg: z.looseObject({
    mean: Mean.nullish(), std: Deviation.nullish(), input_size: z.array(z.int()).length(3).nullish(),
  }).nullish(),
})
export type TimmConfig = z.infer<typeof TimmConfig>

export const HfConfig = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  hidden_size: z.int().min(1).optional(),
  num_hidden_layers: z.int().nullish(),
  intermediate_size: z.int().nullish(),
  patch_size: Side.nullish(),
  qkv_bias: z.boolean().nullish(),
  num_attention_heads: z.int().min(1).default(12),
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: z.number().positive().optional(),
  image_size: Side.default(224),
  id2label: z.record(z.string(), z.coerce.string()).nullish(),
})
export type HfConfig = z.infer<typeof HfConfig>

export const Preprocessor = z.looseObject({
  image_mean: Mean.nullish(), image_std: Deviation.nullish(), do_normalize: z.boolean().nullish(),
})

export type Preprocessor = z.infer<typeof Preprocessor>

export async function readJson<S extends z.ZodType>(files: Files, name: string, schema: S): Promise<z.output<S>> {
  const source = files.open(name)
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8(await source.read(0, source.size)))
  } catch {
    throw unreadable(name, 'is not valid JSON.')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw unreadable(name, `${issue.path.join('.') || 'the document'}: ${issueWords(issue)}.`)
}

/** A checkpoint whose config states another size than its tensors have is a mixture of two. */
function refuseOtherSizes(said: Readonly<Record<string, number | boolean | null | undefined>>, there: Readonly<Record<string, number | boolean>>): void {
  const field = Object.keys(said).find(name => said[name] !== null && said[name] !== undefined && said[name] !== there[name])
  if (field) throw unreadable('config.json', `${field} is ${said[field]}, but the weights have ${there[field]}; the two do not belong together.`)
}

/** What the tensors do not tell. */
export interface Facts {
  heads: number
  epsilon: number
  activation: VitShape['activation']
  pool: VitShape['pool'] | null
  imageSize: number | null
  positionInterpolation: VitShape['positionInterpolation']
}

const unsupported = (what: string, hint?: string) => new AppError('model-unsupported', what, hint ? { hint } : {})

/** timm's plain ViT, DeiT and DINOv2 architectures; the exceptions have other blocks or poolings under like names. */
const known = /^(vit|deit3?|flexivit|eva_large_patch14|test_vit)(_|$)/
const others = /_rpn_|_xp_|_18x2_|_d?pwee_|_dwee_|_dlittle_|_map_|_siglip_\d|_radio_|_so150m|_s?relpos_|_rope_|_dinov3|_pe_|_hybrid|_r\d+_|_resnet|^test_vit\d/
const sixteenHeads = /_(huge|gigantic|giantopt|so400m)_|_giant_patch14_(224|clip)|_giant_patch16_gap|_base_patch16_gap_/
/** The heads of timm's sizes: a model of another width has as many, where its config does not say otherwise. */
const headsOfSize: Readonly<Record<string, number>> = {
  tiny: 3, xsmall: 4, wee: 4, little: 5, small: 6, medium: 8, mediumd: 8, betwixt: 10, base: 12, large: 16, intern300m: 16, giant: 24,
}
/** These leave class and register tokens without positions. */
const patchPositions = /_reg\d|^deit3_|^flexivit_/
const tanhGelu = /_base_patch32_siglip_gap|_large_patch16_siglip_gap_512|_giantopt_|_so400m_patch16_siglip_gap/

/** The architecture's name without its tag; refuses one that Engram cannot compute. */
export function timmArchitecture(config: TimmConfig): string {
  const name = config.architecture.split('.')[0]!
  if (known.test(name) && !others.test(name)) return name
  throw unsupported(`The architecture "${config.architecture}" is not supported.`, 'Engram reads the plain ViT, DeiT, DeiT III, FlexiViT and DINOv2 models of timm (vit_*, deit_*, deit3_*), and ViT, DeiT and DINOv2 of transformers.')
}

export function timmFacts(config: TimmConfig, tensors: Pick<TensorFacts, 'width' | 'depth' | 'patch' | 'classToken' | 'gatedMlp' | 'registers'>): Facts {
  const name = timmArchitecture(config), args = config.model_args ?? {}
  refuseOtherSizes(
    { embed_dim: args.embed_dim, depth: args.depth, patch_size: sideOf(args.patch_size, 'patch_size'), class_token: args.class_token },
    { embed_dim: tensors.width, depth: tensors.depth, patch_size: tensors.patch, class_token: tensors.classToken },
  )
  refuseArguments(args, name, tensors.registers)
  const usual = tensors.gatedMlp ? 'silu' : /_quickgelu_/.test(name) ? 'quick-gelu' : tanhGelu.test(name) ? 'gelu-tanh' : 'gelu'
  return {
    heads: args.num_heads ?? headsOfName(name) ?? headsOfWidth(tensors.width) ?? missingHeads(config.architecture, tensors.width),
    epsilon: /_clip_/.test(name) && !args.norm_layer ? 1e-5 : 1e-6,
    activation: args.act_layer ? activationOf(args.act_layer) : usual,
    pool: poolOf(args.global_pool ?? config.global_pool, config.architecture),
    imageSize: sideOf(args.img_size, 'img_size'),
    positionInterpolation: 'timm',
  }
}

/** Arguments that change what is computed, but not the tensors. */
function refuseArguments(args: NonNullable<TimmConfig['model_args']>, name: string, registers: number): void {
  const refuse = (what: string) => { throw unsupported(`config.json: model_args.${what}`) }
  if (args.norm_layer && !/^layer_?norm(_?fp32)?$/i.test(args.norm_layer)) refuse(`norm_layer "${args.norm_layer}" is not supported; Engram has layernorm.`)
  if (args.pool_include_prefix) refuse('pool_include_prefix is not supported: Engram\'s mean is that of the patches alone.')
  if (args.dynamic_img_pad) refuse('dynamic_img_pad is not supported: Engram leaves out what does not fill a patch.')
  if (args.global_pool === '') refuse('global_pool is empty, which leaves all tokens apart; Engram has token and avg.')
  if (registers > 0 && !(args.no_embed_class ?? patchPositions.test(name))) refuse('no_embed_class is false: position embeddings of register tokens are not supported.')
}

function headsOfName(name: string): number | undefined {
  if (sixteenHeads.test(name)) return 16
  if (name === 'test_vit') return 2
  return /_plus_/.test(name) ? 14 : headsOfSize[/_([a-z]+\d*m?)(?=_|$)/.exec(name)?.[1] ?? '']
}

/** The published ViTs have heads of 64 channels, except the very large ones, which have 16 heads. */
export function headsOfWidth(width: number): number | null {
  if ([1152, 1280, 1408, 1664].includes(width)) return 16
  return width % 64 === 0 ? width / 64 : null
}

const missingHeads = (where: string, width: number): never => {
  throw unsupported(`${where}: the number of attention heads is not in the config and cannot be told from a width of ${width}.`, 'Add "num_heads" to "model_args" in config.json.')
}

function poolOf(name: string | null | undefined, architecture: string): Facts['pool'] {
  if (name === null || name === undefined || name === '') return null
  if (name === 'token') return 'cls'
  if (name === 'avg') return 'mean'
  throw unsupported(`The pooling "${name}" of ${architecture} is not supported; Engram has token and avg.`)
}

const activations: Readonly<Record<string, VitShape['activation']>> = {
  gelu: 'gelu', gelu_tanh: 'gelu-tanh', gelu_new: 'gelu-tanh', gelu_pytorch_tanh: 'gelu-tanh', gelu_fast: 'gelu-tanh',
  quick_gelu: 'quick-gelu', quickgelu: 'quick-gelu', relu: 'relu', silu: 'silu', swish: 'silu',
}
export function activationOf(name: string): VitShape['activation'] {
  const key = name.toLowerCase()
  if (Object.hasOwn(activations, key)) return activations[key]!
  throw unsupported(`The activation "${name}" is not supported; Engram has gelu, gelu_tanh, quick_gelu, relu and silu.`)
}

export function sideOf(side: z.infer<typeof Side> | null | undefined, field: string): number | null {
  if (side === null || side === undefined) return null
  if (typeof side === 'number') return side
  if (side[0] !== side[1]) throw unsupported(`Images of ${side[0]} x ${side[1]} pixels (${field}) are not supported; Engram works on square ones.`)
  return side[0]!
}

export const hfModels: readonly HfModel[] = ['vit', 'deit', 'dinov2', 'dinov2_with_registers']
export const isDino = (model: HfModel): boolean => model.startsWith('dinov2')

export function hfModelOf(config: HfConfig): HfModel {
  const found = hfModels.find(model => model === config.model_type)
  if (found) return found
  throw unsupported(`The model type "${config.model_type}" is not supported.`, `Engram reads ${hfModels.join(', ')} of transformers, and the plain ViT and DeiT models of timm.`)
}

/** Refuses a config.json whose architecture Engram cannot compute, before there are weights. */
export function checkConfig(value: unknown): void {
  const timm = TimmConfig.safeParse(value), hf = HfConfig.safeParse(value)
  if (timm.success) timmArchitecture(timm.data)
  else if (hf.success) hfModelOf(hf.data)
  else throw unreadable('config.json', 'is neither one of timm nor one of transformers.')
}

export function hfFacts(config: HfConfig, model: HfModel, tensors: TensorFacts): Facts {
  const { width, depth, mlp, patch, qkvBias, classes, gatedMlp } = tensors
  refuseOtherSizes(
    {
      hidden_size: config.hidden_size, num_hidden_layers: config.num_hidden_layers, patch_size: sideOf(config.patch_size, 'patch_size'), qkv_bias: config.qkv_bias,
      // DINOv2's inner width follows from a ratio
      intermediate_size: isDino(model) ? null : config.intermediate_size,
    },
    { hidden_size: width, num_hidden_layers: depth, intermediate_size: mlp, patch_size: patch, qkv_bias: qkvBias },
  )
  return {
    heads: config.num_attention_heads,
    epsilon: config.layer_norm_eps ?? (isDino(model) ? 1e-6 : 1e-12),
    activation: gatedMlp ? 'silu' : activationOf(config.hidden_act),
    pool: isDino(model) && classes > 0 ? 'cls+mean' : 'cls',
    imageSize: sideOf(config.image_size, 'image_size'),
    // the one with registers resamples with antialiasing, as timm does
    positionInterpolation: model === 'dinov2_with_registers' ? 'timm' : isDino(model) ? 'dinov2' : 'vit',
  }
}

export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
export const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
