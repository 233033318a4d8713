import { z } from 'zod'
import { tf } from '../tf'
import { defineMethod, ones } from './define'
import { hasRole, rolesField } from './roles'
import { addBias, channelHooks, scaleColumns } from './rows'
import { ia3Layout } from '../io/peft/vectors'

const config = z.strictObject({
  roles: rolesField(['k', 'v'], 'Scaled at the output', 'Projections whose output is scaled.'),
  inputs: rolesField(['down'], 'Scaled at the input', 'Projections whose input is scaled instead (the paper: the down projection of the MLP).'),
})

export const ia3 = defineMethod({
  id: 'ia3', title: 'IA³', family: 'scaling',
  paper: { title: 'Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning', year: 2022, arxiv: '2205.05638' },
  summary: 'Rescales keys, values and hidden activations by one learned vector each.',
  formula: 'y = l ⊙ (x Wᵀ + b), or y = (x ⊙ l) Wᵀ + b',
  advice: 'The fewest parameters of all; wants a high learning rate.',
  config, learningRate: 5e-3,
  selects: (site, c) => hasRole(site, c.roles) || hasRole(site, c.inputs),
  params: (site, c) => ({ ia3_l: { shape: [hasRole(site, c.inputs) ? site.in : site.out], init: ones } }),
  hooks: ({ ia3_l: l }, { site, config: c }) => hasRole(site, c.inputs)
    ? {
      affine: (w, b) => ({ w: scaleColumns(w, l!), b }),
      forward: (x, layer) => addBias(layer.linear(tf.mul(x, l!)), layer.bias),
    }
    : channelHooks(b => ({ scale: l!, shift: b && tf.mul(b, l!) })),
  peft: ia3Layout,
  san: {
    why: 'A vector that scales outputs is the gain; one that scales inputs is already on columns and composes with it.',
    sources: 'linear', columns: 'base', rows: 'base',
    gain: ({ ia3_l }) => ia3_l!,
    gains: (site, c) => !hasRole(site, c.inputs),
  },
})
