import type { CompareReport, RunCard } from '@contract/run'
import { missing } from '../lib/format'
import { groupBy } from '../lib/groupBy'
import { bestAccuracy } from '../runs/columns'

export interface Spread { mean: number; deviation: number; count: number }
/** Runs that differ by their seed alone. */
export interface SeedGroup { runs: RunCard[]; validation: Spread | null; test: Spread | null }

const seedFields = new Set(['seed', 'data.split.seed'])

/** Mean and sample deviation; null where no value is known. */
export function spreadOf(values: readonly (number | undefined)[]): Spread | null {
  const known = values.filter(value => value !== undefined)
  if (known.length === 0) return null
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: known.length > 1 ? Math.sqrt(squares / (known.length - 1)) : 0, count: known.length }
}

/** Every set of two or more runs whose recipes are the same but for the seeds. */
export function seedGroups({ runs, differences }: CompareReport): SeedGroup[] {
  const fields = differences.filter(({ field }) => !seedFields.has(field))
  const groups = groupBy(runs, run => JSON.stringify(fields.map(({ values }) => values[runs.indexOf(run)])))
  return [...groups.values()].filter(group => group.length > 1)
    .map(group => ({ runs: group, validation: spreadOf(group.map(bestAccuracy)), test: spreadOf(group.map(run => run.metrics['test/accuracy'])) }))
}

/** As the design writes it: 93.4 ± 0.4 (3 seeds). */
export function sayShare(spread: Spread | null): string {
  if (!spread) return missing
  const mean = (spread.mean * 100).toFixed(1)
  return spread.count === 1 ? mean : `${mean} ± ${(spread.deviation * 100).toFixed(1)}`
}
