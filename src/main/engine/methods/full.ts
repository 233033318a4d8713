import { z } from 'zod'
import { defineMethod } from './define'

export const full = defineMethod({
  id: 'full', title: 'Full fine-tuning', family: 'all weights', paper: null,
  summary: 'Trains every weight of the backbone.',
  formula: 'W, b trained',
  advice: 'The upper bound to compare with; needs about four times the memory of the weights.',
  config: z.strictObject({}), learningRate: 5e-5,
  selects: () => true,
  unfreeze: site => Object.keys(site.tensors),
  san: { never: 'Full fine-tuning has no scaling part that could be propagated.' },
})
