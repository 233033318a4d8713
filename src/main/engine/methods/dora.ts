import { z } from 'zod'
import { tf, stopGradient, type Tensor } from '../tf'
import { defineMethod, type Init } from './define'
import { loraFields, loraParams, lowRank, lowRankOn, scaling } from './lora'
import { hasRole } from './roles'
import { addBias, scaleRows } from './rows'
import { loraLayout } from '../io/peft/lora'

const config = z.strictObject(loraFields)

/** m starts at the norm of each row of W, so that the layer starts as the frozen one. */
const rowNorms: Init = async (size, { base }) => {
  const w = await base('weight'), inn = w.length / size
  return Float32Array.from({ length: size }, (_, j) => Math.hypot(...w.subarray(j * inn, (j + 1) * inn)))
}
const norms = (v: Tensor): Tensor => tf.sqrt(tf.sum(tf.square(v), 1))

/** Weight-decomposed low-rank adaptation; the norm is a constant for the gradient (paper, section 4.3). */
export const dora = defineMethod({
  id: 'dora', title: 'DoRA', family: 'low rank',
  paper: { title: 'DoRA: Weight-Decomposed Low-Rank Adaptation', year: 2024, arxiv: '2402.09353' },
  summary: 'LoRA on the direction of each weight row, with its magnitude trained apart.',
  formula: 'y = x (m V / ‖V‖)ᵀ + b, V = W + (α/r) B A',
  advice: 'LoRA with a gain per channel; a little slower, often a little better at low rank.',
  config, learningRate: 1e-3,
  selects: (site, c) => hasRole(site, c.roles),
  params: (site, c) => ({ ...loraParams(site.in, site.out, c.rank), magnitude: { shape: [site.out], init: rowNorms } }),
  hooks: ({ lora_A: a, lora_B: b, magnitude }, { config: c }) => {
    const gain = (w: Tensor) => tf.div(magnitude!, stopGradient(norms(tf.add(w, lowRank(a!, b!, scaling(c))))))
    return {
      affine: (w, bias) => ({ w: scaleRows(tf.add(w, lowRank(a!, b!, scaling(c))), gain(w)), b: bias }),
      forward: (x, layer) => {
        const v = tf.add(layer.linear(x), lowRankOn(layer.dropout(x, c.dropout), a!, b!, scaling(c)))
        return addBias(tf.mul(v, gain(layer.weight())), layer.bias)
      },
    }
  },
  peft: loraLayout(true),
  san: {
    why: 'The gain is the trained magnitude over the pretrained row norm.', sources: 'linear',
    // inside the norm a row factor would cancel, so functional propagation acts outside it
    columns: 'base', rows: 'whole',
    against: ['weight'],
    gain: ({ magnitude }, { frozen }) => tf.div(magnitude!, norms(frozen('weight'))),
  },
})
