import { z } from 'zod'
import { tf } from '../tf'
import { defineMethod } from './define'
import { normLayout } from '../io/peft/vectors'

export const layernorm = defineMethod({
  id: 'layernorm', title: 'LayerNorm tuning', family: 'selective',
  paper: { title: 'Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning', year: 2023, arxiv: '2312.11420' },
  summary: 'Trains weight and bias of every normalisation layer.',
  formula: 'y = x̂ ⊙ w + b, w and b trained',
  advice: 'Very few parameters; a good first try for a small shift of domain.',
  config: z.strictObject({}), learningRate: 1e-3,
  selects: site => site.kind === 'norm',
  unfreeze: site => Object.keys(site.tensors),
  peft: normLayout,
  san: {
    why: 'The gain is the trained weight over the pretrained one; it reaches the projections behind the norm exactly.',
    sources: 'norm', columns: 'base', rows: 'base', against: ['weight', 'bias'],
    shift: ({ bias }, { frozen }) => bias ? tf.sub(bias, frozen('bias')) : null,
    // w / w0, kept finite where w0 is near 0
    gain: ({ weight }, { frozen }) => {
      const w0 = frozen('weight')
      const eps = tf.mul(tf.mean(tf.square(w0)), 1e-6)
      return tf.add(1, tf.div(tf.mul(tf.sub(weight!, w0), w0), tf.add(tf.square(w0), eps)))
    },
  },
})
