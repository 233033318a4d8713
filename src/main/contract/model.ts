import { z } from 'zod'

/** What a ViT checkpoint is, read from its config and its tensors alone. Sizes in pixels and channels. */
export const VitShape = z.object({
  family: z.literal('vit'),
  imageSize: z.int().min(1),
  patch: z.int().min(1),
  width: z.int().min(1),
  depth: z.int().min(1),
  heads: z.int().min(1),
  mlp: z.int().min(1).describe('hidden width of the MLP'),
  classToken: z.boolean(),
  distillationToken: z.boolean(),
  registers: z.int().min(0).describe('extra tokens without position embedding, after the class token'),
  positionsOnPrefix: z.boolean().describe('whether prefix tokens have position embeddings (timm: not no_embed_class)'),
  positionGrid: z.int().min(1).describe('side of the square grid of position embeddings in the checkpoint'),
  positionInterpolation: z.enum(['timm', 'vit', 'dinov2']).describe('whose resampling the source library uses'),
  qkvBias: z.boolean(),
  layerScale: z.boolean(),
  preNorm: z.boolean().describe('a norm between embedding and blocks (timm norm_pre)'),
  finalNorm: z.boolean().describe('a norm over all tokens after the blocks (timm norm)'),
  poolNorm: z.boolean().describe('a norm on the pooled vector (timm fc_norm)'),
  pool: z.enum(['cls', 'mean', 'cls+mean']),
  gatedMlp: z.boolean().describe('SwiGLU: down(activation(gate) * up)'),
  activation: z.enum(['gelu', 'gelu-tanh', 'quick-gelu', 'relu', 'silu']).describe('of the MLP; where it is gated, of its gate'),
  epsilon: z.number().positive(),
  headBias: z.boolean(),
  distillationHead: z.boolean().describe('a second head on the distillation token, averaged with the first'),
  classes: z.int().min(0).describe('0: no head, features only'),
})
export type VitShape = z.infer<typeof VitShape>
/** Swin, ConvNeXt, LLaMA and LLaVA join this union as they are built. */
export const Shape = VitShape
export type Shape = z.infer<typeof Shape>

export const ModelFormat = z.enum(['timm', 'transformers', 'augreg-npz'])
export type ModelFormat = z.infer<typeof ModelFormat>

export const SiteKind = z.enum(['linear', 'norm', 'conv', 'embed', 'scale'])
export const SiteRole = z.enum(['patch', 'class', 'position', 'register', 'norm', 'q', 'k', 'v', 'o', 'gate', 'up', 'down', 'scale', 'head'])
export const EdgeCard = z.object({
  from: z.string(), to: z.string(),
  via: z.enum(['direct', 'pointwise', 'attention', 'residual']),
  exact: z.boolean(),
})
export type EdgeCard = z.infer<typeof EdgeCard>
export const SiteCard = z.object({
  name: z.string(), kind: SiteKind, role: SiteRole, depth: z.int(), in: z.int(), out: z.int(),
  tensors: z.record(z.string(), z.array(z.int())),
})
export type SiteCard = z.infer<typeof SiteCard>

/** `engram inspect`, and the Backbones page. */
export const InspectReport = z.object({
  path: z.string(), name: z.string(), format: ModelFormat, architecture: z.string(), shape: Shape,
  parameters: z.int(), dtype: z.string(), sizeBytes: z.int(),
  mean: z.array(z.number()), std: z.array(z.number()),
  sites: z.array(SiteCard), edges: z.array(EdgeCard),
  unused: z.array(z.string()).describe('tensors in the files that the architecture has no place for'),
})
export type InspectReport = z.infer<typeof InspectReport>

/** What a stored tensor holds, over its finite numbers; without any there is nothing to tell. */
export const TensorCard = z.object({
  name: z.string(), dtype: z.string(), shape: z.array(z.int()), mean: z.number().nullable(), std: z.number().nullable(), min: z.number().nullable(), max: z.number().nullable(),
  zeros: z.number().describe('share of numbers that are exactly 0'), notFinite: z.int().describe('numbers that are infinite or none'),
})
export type TensorCard = z.infer<typeof TensorCard>

/** Where a backbone or a dataset comes from: with Engram, from a path that a person gave, from the hub. */
export const HoldingSource = z.enum(['sample', 'added', 'hub'])
export type HoldingSource = z.infer<typeof HoldingSource>

export const BackboneCard = z.object({
  id: z.string(), name: z.string(), path: z.string(), source: HoldingSource,
  summary: z.string(), parameters: z.int(), imageSize: z.int(), licence: z.string().nullable(), problem: z.string().nullable(),
})
export type BackboneCard = z.infer<typeof BackboneCard>
