import { z } from 'zod'
import { tf, type Tensor } from '../tf'
import { defineMethod, uniform, zeros } from './define'
import { allLinear, hasRole, rolesField } from './roles'
import { addBias } from './rows'
import { loraLayout } from '../io/peft/lora'
import { linear } from '../nn/ops'

export const loraFields = {
  rank: z.int().min(1).max(4096).default(8).meta({ title: 'Rank', description: 'Width r of the two factors.' }),
  alpha: z.number().positive().default(8).meta({ title: 'Alpha', description: 'The update is multiplied by alpha / r.' }),
  dropout: z.number().min(0).max(0.999).default(0).meta({ title: 'Adapter dropout', description: 'On the input of the low-rank branch, in training only.' }),
  rsLora: z.boolean().default(false).meta({ title: 'Rank-stabilised', description: 'Multiply by alpha / √r instead (rsLoRA).' }),
  roles: rolesField(allLinear, 'Layers', 'Which projections are adapted: query, key, value, attention output, MLP gate, up and down.'),
}
const config = z.strictObject(loraFields)
type Config = z.infer<typeof config>

export const scaling = (c: Pick<Config, 'rank' | 'alpha' | 'rsLora'>): number => c.alpha / (c.rsLora ? Math.sqrt(c.rank) : c.rank)

/** A ~ U(±1/√in), B = 0: the adapted layer starts as the frozen one. */
export const loraParams = (inn: number, out: number, rank: number) => ({
  lora_A: { shape: [rank, inn], init: uniform(1 / Math.sqrt(inn)) },
  lora_B: { shape: [out, rank], init: zeros },
})
export const lowRank = (a: Tensor, b: Tensor, s: number): Tensor => tf.mul(tf.matMul(b as never, a as never), s)
/** x (s B A)ᵀ, with the smallest of the three scaled */
export const lowRankOn = (x: Tensor, a: Tensor, b: Tensor, s: number): Tensor => linear(linear(x, s === 1 ? a : tf.mul(a, s)), b)

export const lora = defineMethod({
  id: 'lora', title: 'LoRA', family: 'low rank',
  paper: { title: 'LoRA: Low-Rank Adaptation of Large Language Models', year: 2021, arxiv: '2106.09685' },
  summary: 'Adds a low-rank product beside each frozen weight matrix.',
  formula: 'y = x Wᵀ + b + (α/r) x Aᵀ Bᵀ',
  advice: 'The common default. Rank 8 suits vision, 32 with alpha 64 language.',
  config, learningRate: 1e-3,
  selects: (site, c) => hasRole(site, c.roles),
  params: (site, c) => loraParams(site.in, site.out, c.rank),
  hooks: ({ lora_A: a, lora_B: b }, { config: c }) => ({
    affine: (w, bias) => ({ w: tf.add(w, lowRank(a!, b!, scaling(c))), b: bias }),
    forward: (x, layer) => tf.add(addBias(layer.linear(x), layer.bias), lowRankOn(layer.dropout(x, c.dropout), a!, b!, scaling(c))),
  }),
  peft: loraLayout(false),
  san: { why: 'The gain is measured: the least-squares gain of the adapted output on the frozen one.', sources: 'linear', columns: 'base', rows: 'base' },
})
