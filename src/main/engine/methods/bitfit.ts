import { z } from 'zod'
import { tf } from '../tf'
import { defineMethod } from './define'

export const bitfit = defineMethod({
  id: 'bitfit', title: 'BitFit', family: 'selective',
  paper: { title: 'BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models', year: 2021, arxiv: '2106.10199' },
  summary: 'Trains every bias the backbone has.',
  formula: 'y = x Wᵀ + (b + Δb)',
  advice: 'Cheap, and often strong when the backbone already fits the task. Empty for backbones without biases.',
  config: z.strictObject({}), learningRate: 1e-3,
  selects: site => 'bias' in site.tensors,
  unfreeze: () => ['bias'],
  san: {
    why: 'A bias shift is not a gain; the least-squares gain of the shifted output is propagated instead.',
    sources: 'linear', columns: 'base', rows: 'base', gains: site => site.kind === 'linear', experimental: true,
    against: ['bias'], shift: ({ bias }, { frozen }) => bias ? tf.sub(bias, frozen('bias')) : null,
  },
})
