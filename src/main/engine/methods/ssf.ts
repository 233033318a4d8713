import { z } from 'zod'
import { tf } from '../tf'
import { defineMethod, normal, ones, zeros } from './define'
import { addBias, channelHooks } from './rows'

const config = z.strictObject({
  init: z.enum(['identity', 'normal']).default('identity').meta({ title: 'Initial values', description: 'Identity starts at the pretrained function; normal is N(1, 0.02) and N(0, 0.02) as in the reference code.' }),
  shift: z.boolean().default(true).meta({ title: 'Shift', description: 'Also learn a shift per channel; off leaves the scale alone (SAN\'s 2024 code).' }),
  norms: z.enum(['scale', 'tune', 'none']).default('scale').meta({ title: 'Norms', description: 'Scale and shift norm outputs too, train the norms\' own weights instead, or leave them frozen.' }),
})

/** Scaling and shifting of deep features. The gain is the scale itself: SAN's reference case. */
export const ssf = defineMethod({
  id: 'ssf', title: 'SSF', family: 'scaling',
  paper: { title: 'Scaling & Shifting Your Features: A New Baseline for Efficient Model Tuning', year: 2022, arxiv: '2210.08823' },
  summary: 'Scales and shifts the output of every layer, channel by channel.',
  formula: 'y = γ ⊙ (x Wᵀ + b) + β',
  advice: 'A strong default for vision; merges without a trace. Wants a higher learning rate than weights do.',
  config, learningRate: 5e-3,
  selects: (site, c) => site.kind === 'linear' || site.kind === 'conv' || (site.kind === 'norm' && c.norms !== 'none'),
  unfreeze: (site, c) => site.kind === 'norm' && c.norms === 'tune' ? Object.keys(site.tensors) : [],
  params: (site, c) => site.kind === 'norm' && c.norms === 'tune' ? {} : {
    ssf_scale: { shape: [site.out], init: c.init === 'normal' ? normal(1, 0.02) : ones },
    ...(c.shift ? { ssf_shift: { shape: [site.out], init: c.init === 'normal' ? normal(0, 0.02) : zeros } } : {}),
  },
  hooks: ({ ssf_scale: scale, ssf_shift: shift }) => {
    if (!scale) return { affine: (w, b) => ({ w, b }) }
    return channelHooks(b => ({ scale, shift: b ? addBias(tf.mul(b, scale), shift ?? null) : shift ?? null }))
  },
  san: {
    why: 'The scale is the gain.', sources: 'linear', columns: 'base', rows: 'base',
    gain: ({ ssf_scale }) => ssf_scale!,
    shift: ({ ssf_shift }) => ssf_shift ?? null,
    gains: (site, c) => site.kind !== 'norm' || c.norms === 'scale',
  },
})
