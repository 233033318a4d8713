import { z } from 'zod'

const meta = (title: string, description: string) => ({ title, description })

/** SAN's own fields (docs/san.md). `auto` takes what the preset says. */
export const SanConfig = z.strictObject({
  preset: z.enum(['paper-locational', 'paper-functional', 'official-2024-base', 'official-2024-resize', 'random']).default('paper-locational')
    .meta(meta('Preset', 'Locational: into the next layer\'s input columns (vision). Functional: into the rows of the same layer one block on (language). Official: the 2024 code. Random: seeded targets, for ablation.')),
  gamma: z.enum(['auto', 'own', 'ema', 'weight', 'magnitude']).default('auto')
    .meta(meta('Gain', 'Auto takes the method\'s own scale where it has one and measures it otherwise (running average in evaluation). Weight and magnitude derive it from the weights alone.')),
  pool: z.enum(['energy', 'median', 'clampedMean', 'mean']).default('energy')
    .meta(meta('Gain pooled by', 'How the ratio of adapted to frozen output becomes one number per channel. Energy is its least-squares gain.')),
  scope: z.enum(['batch', 'sample', 'ema']).default('batch')
    .meta(meta('Pooled over', 'Batch: one vector for all. Sample: one per image, which cannot be merged. EMA: the running average in training too.')),
  emaDecay: z.number().min(0).max(0.99999).default(0.99).meta(meta('Average decay', 'Decay of the running average of measured gains.')),
  axis: z.enum(['auto', 'input', 'output']).default('auto').meta(meta('Axis', 'Input scales columns of the target, output its rows.')),
  qkvSource: z.enum(['auto', 'none', 'prevFc2', 'patchEmbed', 'norm1']).default('auto').meta(meta('Into q, k, v', 'What feeds the attention projections.')),
  projMap: z.enum(['auto', 'vslice', 'interp', 'headmean', 'none']).default('auto')
    .meta(meta('Into the output projection', 'Value channels reach it exactly (vslice); interp resizes q, k and v together as the 2024 code does; headmean averages over heads.')),
  headSource: z.boolean().default(false).meta(meta('Into the head', 'Also scale the head\'s input by the last MLP\'s gain.')),
  detach: z.boolean().default(false).meta(meta('Detach', 'No gradient through the propagated scale.')),
  lambda: z.number().min(0).max(0.01).default(0).meta(meta('Gain decay', 'λ of λ Σ ‖γ − 1‖² over the propagated gains.')),
  seed: z.int().min(0).default(0).meta(meta('Random seed', 'Draws the targets of the random preset.')),
})
export type SanConfig = z.infer<typeof SanConfig>

/** What a preset decides once its `auto` fields are filled. */
export interface Topology {
  kind: 'locational' | 'functional' | 'random'
  axis: 'input' | 'output'
  qkvSource: 'none' | 'prevFc2' | 'patchEmbed' | 'norm1'
  projMap: 'vslice' | 'interp' | 'headmean' | 'none'
  /** the 2024 code's extra trainable vector per propagated input */
  extra: boolean
}

const presets: Record<SanConfig['preset'], Topology> = {
  'paper-locational': { kind: 'locational', axis: 'input', qkvSource: 'none', projMap: 'vslice', extra: false },
  'paper-functional': { kind: 'functional', axis: 'output', qkvSource: 'none', projMap: 'vslice', extra: false },
  'official-2024-base': { kind: 'locational', axis: 'input', qkvSource: 'patchEmbed', projMap: 'none', extra: false },
  'official-2024-resize': { kind: 'locational', axis: 'input', qkvSource: 'patchEmbed', projMap: 'interp', extra: true },
  random: { kind: 'random', axis: 'input', qkvSource: 'none', projMap: 'vslice', extra: false },
}

export function topologyOf(config: SanConfig): Topology {
  const preset = presets[config.preset]
  return {
    ...preset,
    axis: config.axis === 'auto' ? preset.axis : config.axis,
    qkvSource: config.qkvSource === 'auto' ? preset.qkvSource : config.qkvSource,
    projMap: config.projMap === 'auto' ? preset.projMap : config.projMap,
  }
}
