import { z } from 'zod'
import { Metrics, RunId } from './run'

/** 95 %, as shares. */
export const Interval = z.object({ low: z.number(), high: z.number() })
export type Interval = z.infer<typeof Interval>
const Split = z.enum(['train', 'validation', 'test'])

/** The first line of a file of predictions: what was measured. Labels count the run's classes. */
export const EvaluationHead = z.object({
  format: z.literal(1), run: RunId, step: z.int().min(0), split: Split,
  data: z.object({ name: z.string(), path: z.string(), hash: z.string() }),
  classes: z.array(z.string()), samples: z.int().min(1), metrics: Metrics, savedAt: z.number(),
})
export type EvaluationHead = z.infer<typeof EvaluationHead>

/** Each further line: one image with its likeliest classes, best first. `index` is its number in the dataset. */
export const SamplePrediction = z.object({
  index: z.int().min(0), file: z.string(), label: z.int().min(0), top: z.array(z.int().min(0)).min(1), probabilities: z.array(z.number()).min(1),
})
export type SamplePrediction = z.infer<typeof SamplePrediction>

export const EvaluationId = z.string().regex(/^step-\d{6,15}-(train|validation|test)-[0-9a-z]{1,12}$/, 'is not an evaluation')
/** A row in a list of evaluations. */
export const EvaluationCard = EvaluationHead.omit({ classes: true }).extend({ id: EvaluationId })
export type EvaluationCard = z.infer<typeof EvaluationCard>
export const Evaluation = EvaluationHead.extend({ id: EvaluationId, predictions: z.array(SamplePrediction) })
export type Evaluation = z.infer<typeof Evaluation>

/** A run's accuracy with its interval, from its kept predictions. */
export const RunAccuracy = z.object({
  run: RunId, evaluation: EvaluationId, step: z.int(), split: Split, data: z.string(), samples: z.int(), right: z.int(), accuracy: z.number(), interval: Interval,
})
export type RunAccuracy = z.infer<typeof RunAccuracy>

/** A run against the baseline, sample by sample. Differences are shares: 0.008 is 0.8 points. */
export const PairVerdict = z.object({
  run: RunId, baseline: RunId, samples: z.int().describe('that both were measured on'), difference: z.number(),
  onlyRun: z.int().describe('samples that only the run got right'), onlyBaseline: z.int(), p: z.number(), clear: z.boolean(), sentence: z.string(),
})
export type PairVerdict = z.infer<typeof PairVerdict>
/** Runs of one recipe under several seeds against those of another under the same seeds. */
export const SeedVerdict = z.object({
  runs: z.array(RunId), baseline: z.array(RunId), seeds: z.array(z.int()), difference: z.number(), interval: Interval, clear: z.boolean(), sentence: z.string(),
})
export type SeedVerdict = z.infer<typeof SeedVerdict>

export const VerdictInput = z.object({ runs: z.array(RunId).min(1).max(64), baseline: RunId.nullable().default(null).describe('null: the first of the runs') })
export const VerdictReport = z.object({
  baseline: RunId, accuracies: z.array(RunAccuracy), pairs: z.array(PairVerdict), seeds: z.array(SeedVerdict),
  missing: z.array(z.object({ run: RunId, reason: z.string() })).describe('runs that could not be compared, and why'),
})
export type VerdictReport = z.infer<typeof VerdictReport>
