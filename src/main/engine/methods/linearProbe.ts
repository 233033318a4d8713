import { z } from 'zod'
import { defineMethod } from './define'

export const linearProbe = defineMethod({
  id: 'linear-probe', title: 'Linear probe', family: 'head only', paper: null,
  summary: 'Trains a fresh head on frozen features.',
  formula: 'logits = head(features)',
  advice: 'The lower bound to compare with, and the fastest.',
  config: z.strictObject({}), learningRate: 1e-2,
  selects: () => false,
  san: { never: 'A linear probe adapts no layer, so there is no gain to propagate.' },
})
