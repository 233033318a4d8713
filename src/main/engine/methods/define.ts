import type { z } from 'zod'
import type { Random } from '../data/random'
import type { Site } from '../sites'
import type { Tensor } from '../tf'

/** A tensor that a method adds at a site. */
export interface Param { shape: readonly number[]; init: Init }
export interface InitContext { random: Random; /** a frozen tensor of the same site */ base(tensor: string): Promise<Float32Array> }
export type Init = (size: number, context: InitContext) => Float32Array | Promise<Float32Array>

export const zeros: Init = size => new Float32Array(size)
export const ones: Init = size => new Float32Array(size).fill(1)
export const normal = (mean: number, std: number): Init => (size, { random }) => Float32Array.from({ length: size }, () => mean + std * random.normal())
export const uniform = (bound: number): Init => (size, { random }) => Float32Array.from({ length: size }, () => (2 * random.uniform() - 1) * bound)

/** What a hook sees of its own frozen layer; a propagated scale is already in it. */
export interface Layer {
  /** x [..., in] -> x Wᵀ [..., out], without the bias */
  linear(x: Tensor): Tensor
  /** W [out, in] */
  weight(): Tensor
  bias: Tensor | null
  /** identity outside training */
  dropout(x: Tensor, rate: number): Tensor
}

/** What a method does at one site. W is [out, in] for linear and conv sites, [width] for norms. */
export interface Hooks {
  /** Rewrites the layer's weights; merging is this, evaluated once. */
  affine(w: Tensor, b: Tensor | null): { w: Tensor; b: Tensor | null }
  /** The same update on activations, where that is cheaper than rewriting weights. */
  forward?(x: Tensor, layer: Layer): Tensor
  /** The same update on x Wᵀ, where it is a scale and a shift of the output: what scales the output again can be joined with it. */
  channels?(b: Tensor | null): Channels
}
/** Vectors [out], or [B, 1, out] */
export interface Channels { scale: Tensor; shift: Tensor | null }

export interface GainPlace<C> { site: Site; config: C; frozen(tensor: string): Tensor }

/** How a method couples with SAN (docs/san.md C). */
export interface Coupling<C = unknown> {
  why: string
  /** which kind of site has a gain that is propagated */
  sources: 'linear' | 'norm'
  /** Does a propagated column (row) scale act on the frozen base alone, or on the whole adapted matrix? */
  columns: 'base' | 'whole'
  rows: 'base' | 'whole'
  /** The method's own multiplicative vector [out] at a site; absent: the gain is measured from data. */
  gain?: (values: Values, at: GainPlace<C>) => Tensor
  /** The method's own additive vector [out] at a site, for looking at; null where a site has none. */
  shift?: (values: Values, at: GainPlace<C>) => Tensor | null
  /** Tensors of the frozen site that `gain` and `shift` compare with. */
  against?: readonly string[]
  /** Sites that have a gain at all; absent: every selected site. */
  gains?: (site: Site, config: C) => boolean
  experimental?: boolean
}

export type Values = Readonly<Record<string, Tensor>>

/** The fields of PEFT's adapter_config.json that concern one type; missing ones have PEFT's defaults. */
export interface PeftFields {
  r: number
  lora_alpha: number
  lora_dropout: number
  use_rslora: boolean
  use_dora: boolean
  rank_pattern: Readonly<Record<string, number>>
  alpha_pattern: Readonly<Record<string, number>>
}
export interface PeftTensor { shape: readonly number[]; data: Float32Array }
/** One site of a layer as the library has it, with the method's values there; null where it is not adapted. */
export interface PeftPart { site: Site; values: Readonly<Record<string, Float32Array>> | null; frozen(tensor: string): Promise<Float32Array> }
/** What PEFT keeps for one layer: its tensors by key suffix, and what sets it apart from the others. */
export interface PeftLayer { tensors: Readonly<Record<string, PeftTensor>>; rank?: number; alpha?: number; feedforward?: boolean }
export interface PeftRead { path: string; sites: readonly Site[]; tensors: Readonly<Record<string, PeftTensor>> }
/** Values by site and name as the method has them, and the configuration that they fit. */
export interface PeftValues { config: Record<string, unknown>; values: Map<string, Record<string, Float32Array>> }

/** How a method is kept in adapter files of HF PEFT. A library may hold several sites in one layer, as timm does q, k and v. */
export interface PeftLayout<C> {
  type: 'LORA' | 'IA3' | 'LN_TUNING'
  /** Two methods may share a type and differ by a field. */
  accepts(fields: PeftFields): boolean
  fields(config: C): Record<string, unknown>
  suffixes: readonly string[]
  /** null where PEFT has no equal */
  join(parts: readonly PeftPart[], config: C): Promise<PeftLayer | null>
  split(layers: readonly PeftRead[], fields: PeftFields): PeftValues
  /** The change of a weight, for layers that PEFT adapts and the method here does not, such as convolutions. */
  delta?(values: Readonly<Record<string, Float32Array>>, site: Site, config: C): Float32Array
}

export interface MethodSpec<C> {
  id: string
  title: string
  family: 'all weights' | 'head only' | 'selective' | 'scaling' | 'low rank'
  summary: string
  formula: string
  advice: string
  paper: { title: string; year: number; arxiv: string } | null
  config: z.ZodType<C> & z.ZodObject
  learningRate: number
  /** sites that the method adapts; the head is trained by every method and never asked for */
  selects(site: Site, config: C): boolean
  /** tensors added at a selected site */
  params?(site: Site, config: C): Record<string, Param>
  /** names of a selected site's own tensors that are trained directly */
  unfreeze?(site: Site, config: C): string[]
  hooks?(values: Values, at: { site: Site; config: C }): Hooks
  san: Coupling<C> | { never: string }
  /** its form in HF PEFT, where it has one; without, adapters are kept in Engram's own layout (docs/adapters.md) */
  peft?: PeftLayout<NoInfer<C>>
}

/** A method with its configuration type erased, as the engine handles it. */
export type Method = MethodSpec<never>

export const defineMethod = <C>(spec: MethodSpec<C>): Method => spec as unknown as Method
