import { z } from 'zod'

const field = z.string().min(1).max(100).describe('path in the recipe, such as train.learningRate')
const points = z.int().min(2).max(100)

/** One field of the recipe that a sweep changes, and the values it takes. */
export const SweepAxis = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('list'), field, values: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).min(1).max(100) }),
  z.object({ kind: z.literal('range'), field, from: z.number(), to: z.number(), count: points }),
  z.object({ kind: z.literal('log'), field, from: z.number().positive(), to: z.number().positive(), count: points }),
])
export type SweepAxis = z.infer<typeof SweepAxis>

/**
 * Grid tries every combination; random draws `runs` of them; halving begins with `runs` short ones and, round by round, gives the best
 * 1 in `eta` that many times the epochs, up to those of the recipe.
 */
export const Sweep = z.object({
  axes: z.array(SweepAxis).min(1).max(6), search: z.enum(['grid', 'random', 'halving']),
  runs: z.int().min(1).max(500).default(8), eta: z.int().min(2).max(4).default(2), seed: z.int().min(0).default(0),
})
export type Sweep = z.infer<typeof Sweep>
export const SweepStart = z.object({ recipe: z.record(z.string(), z.unknown()), sweep: Sweep })
export type SweepStart = z.infer<typeof SweepStart>

export const axisLength = (axis: SweepAxis): number => axis.kind === 'list' ? axis.values.length : axis.count

/** How many runs each round has, and how many epochs they take; one round where nothing is halved. */
export function sweepRounds({ axes, search, runs, eta }: Sweep, epochs: number): { runs: number; epochs: number }[] {
  if (search === 'grid') return [{ runs: axes.reduce((product, axis) => product * axisLength(axis), 1), epochs }]
  if (search === 'random') return [{ runs, epochs }]
  const rounds = [{ runs, epochs }]
  for (let left = Math.floor(runs / eta), more = 1; left >= 1 && epochs / eta ** more >= 1; left = Math.floor(left / eta), more++) rounds.push({ runs: left, epochs })
  return rounds.map((round, index) => ({ ...round, epochs: Math.round(epochs / eta ** (rounds.length - 1 - index)) }))
}
