import { z } from 'zod'
import { RunId } from './run'

/** A field of the recipe by its path (train.epochs), or one of `cardFields`. */
const Field = z.string().regex(/^[\w][\w .:/+-]{0,199}$/, 'is not the name of a field')
const Value = z.union([z.string().max(4096), z.number(), z.boolean(), z.null()])
export type FieldValue = z.infer<typeof Value>

/** What can be filtered, grouped and sorted by beside the recipe. `method` has " san" behind it where SAN is on; `tags` matches any tag. */
export const cardFields = [
  'name', 'status', 'method', 'backbone', 'data', 'seed', 'trainable', 'best', 'last', 'test', 'loss', 'seconds', 'peakMemory', 'createdAt', 'favourite', 'archived', 'tags',
] as const
export type CardField = typeof cardFields[number]

/** The field has (or, with `not`, has not) one of the values. */
export const RunFilter = z.object({ field: Field, values: z.array(Value).min(1).max(200), not: z.boolean().default(false) })
export type RunFilter = z.infer<typeof RunFilter>

export const RunQuery = z.object({
  words: z.string().max(400).default(''), filters: z.array(RunFilter).max(32).default([]), groupBy: Field.nullable().default(null),
  sort: z.object({ field: Field, down: z.boolean() }).prefault({ field: 'createdAt', down: true }),
})
export type RunQuery = z.infer<typeof RunQuery>

/** A view of the Runs table under a name. */
export const RunView = z.object({ id: z.string().min(1).max(60), title: z.string().trim().min(1).max(60), query: RunQuery, columns: z.array(z.string().max(40)).max(60) })
export type RunView = z.infer<typeof RunView>

/** Ids in order; without grouping there is one group. */
export const RunGroup = z.object({ value: Value, runs: z.array(RunId), best: z.number().nullable() })
export type RunGroup = z.infer<typeof RunGroup>
export const RunMatches = z.object({ total: z.int(), groups: z.array(RunGroup) })
export type RunMatches = z.infer<typeof RunMatches>

export const FieldValues = z.array(z.object({ value: Value, runs: z.int() }))
export type FieldValues = z.infer<typeof FieldValues>
export const FieldInput = z.object({ field: Field })

export const SparklineInput = z.object({ runs: z.array(RunId).max(500) })
export const Sparkline = z.object({ run: RunId, losses: z.array(z.number()), accuracies: z.array(z.number()) })
export type Sparkline = z.infer<typeof Sparkline>
