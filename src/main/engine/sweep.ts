import { AppError } from '../contract/errors'
import type { Sweep, SweepAxis } from '../contract/sweep'
import { createRandom, type Random } from './data/random'

type Recipe = Record<string, unknown>
type Value = number | string | boolean | null
interface Choice { field: string; value: Value }
const MOST_RUNS = 500

/** The recipes of a sweep's first round: the given one with the swept fields set, each named by them. */
export function expandSweep(recipe: Recipe, sweep: Sweep): Recipe[] {
  const fields = sweep.axes.map(({ field }) => field)
  const twice = fields.find((field, index) => fields.indexOf(field) !== index)
  if (twice) throw new AppError('bad-input', `The sweep changes ${twice} twice; give all its values in one line.`, { field: twice })
  // Counted first: a hundred values in each of six lines would not fit the memory.
  const runs = sweep.search === 'grid' ? sweep.axes.reduce((product, axis) => product * (axis.kind === 'list' ? axis.values.length : axis.count), 1) : sweep.runs
  if (runs > MOST_RUNS) throw new AppError('bad-input', `The sweep makes ${runs} runs; at most ${MOST_RUNS} can be queued at once.`)
  const combinations = sweep.search === 'grid' ? grid(sweep.axes) : drawn(sweep)
  return combinations.map(choices => withChoices(recipe, choices))
}

function grid(axes: readonly SweepAxis[]): Choice[][] {
  return axes.reduce<Choice[][]>((sofar, axis) => sofar.flatMap(choices => spaced(axis).map(value => [...choices, { field: axis.field, value }])), [[]])
}

function drawn({ axes, runs, seed }: Sweep): Choice[][] {
  const random = createRandom(seed, 'sweep')
  return Array.from({ length: runs }, () => axes.map(axis => ({ field: axis.field, value: draw(axis, random) })))
}

/** Evenly over the values, or over their logarithms; with both ends. */
function spaced(axis: SweepAxis): Value[] {
  if (axis.kind === 'list') return axis.values
  return Array.from({ length: axis.count }, (_, index) => between(axis, index / (axis.count - 1)))
}

const draw = (axis: SweepAxis, random: Random): Value => axis.kind === 'list' ? axis.values[random.int(axis.values.length)]! : between(axis, random.uniform())

function between({ kind, from, to }: Exclude<SweepAxis, { kind: 'list' }>, share: number): number {
  const value = kind === 'log' ? from * (to / from) ** share : from + (to - from) * share
  const whole = kind === 'range' && Number.isInteger(from) && Number.isInteger(to)
  return whole ? Math.round(value) : Number(value.toPrecision(4))
}

function withChoices(recipe: Recipe, choices: readonly Choice[]): Recipe {
  const changed = choices.reduce((sofar, { field, value }) => withValue(sofar, field.split('.'), value), recipe)
  const words = choices.map(({ field, value }) => `${field.split('.').at(-1)} ${value ?? 'default'}`).join(', ')
  const base = typeof recipe['name'] === 'string' && recipe['name'] !== '' ? `${recipe['name']} ` : ''
  return { ...changed, name: `${base}${words}`.slice(0, 120) }
}

function withValue(at: Recipe, [key = '', ...rest]: readonly string[], value: Value): Recipe {
  if (['__proto__', 'constructor', 'prototype', ''].includes(key)) throw new AppError('bad-input', `"${key}" is not a field of a recipe.`)
  if (rest.length === 0) return { ...at, [key]: value }
  const inner = at[key]
  const group = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner as Recipe : {}
  return { ...at, [key]: withValue(group, rest, value) }
}
