import { z } from 'zod'
import { EvaluationId, Interval } from './evaluation'
import { Place, WholePath } from './path'
import { Metrics, RunId } from './run'

export const CheckpointCard = z.object({
  run: RunId, step: z.int(), epoch: z.number(), path: z.string(), sizeBytes: z.int(), savedAt: z.number(),
  best: z.boolean(), last: z.boolean(), pinned: z.boolean(), metrics: Metrics,
})
export type CheckpointCard = z.infer<typeof CheckpointCard>
/** "best", "last", or a step. */
export const CheckpointChoice = z.union([z.enum(['best', 'last']), z.int().min(0)])
export type CheckpointChoice = z.infer<typeof CheckpointChoice>

/** Which checkpoints go. The best of a run, pinned ones, and the last of a run that can go on always stay. */
export const PruneRule = z.object({
  runs: z.array(RunId).max(20_000).nullable().default(null).describe('null: every run of the workspace'),
  last: z.boolean().default(true).describe('whether the last of finished runs stays too'),
  everySteps: z.int().min(1).nullable().default(null).describe('the first in each so many steps stays too'),
  budgetBytes: z.number().min(0).nullable().default(null).describe('what goes, goes oldest first, and only until the rest fits; null: all of it goes'),
})
export type PruneRule = z.infer<typeof PruneRule>
export const PruneReport = z.object({
  going: z.array(CheckpointCard), goingBytes: z.number(), kept: z.int(), keptBytes: z.number(),
  busy: z.array(RunId).describe('runs that are being trained; theirs stay'),
})
export type PruneReport = z.infer<typeof PruneReport>
/** `going`: what a person saw and agreed to; of it goes what the rule still lets go. */
export const PruneInput = z.object({ rule: PruneRule, going: z.array(z.object({ run: RunId, step: z.int().min(0) })).min(1).max(200_000) })
export type PruneInput = z.infer<typeof PruneInput>

/** A new run that begins with the weights of a checkpoint; without a recipe it has that of the checkpoint's run. */
export const RestartInput = z.object({ run: RunId, checkpoint: CheckpointChoice, recipe: z.record(z.string(), z.unknown()).nullable().default(null) })
export type RestartInput = z.output<typeof RestartInput>

export const ExportInput = z.object({
  run: RunId, checkpoint: CheckpointChoice.default('best'), as: z.enum(['merged', 'adapter']), out: WholePath,
})
export type ExportInput = z.infer<typeof ExportInput>

/** Kept beside every export as verification.json; logits are the exported files' against the live run's. */
export const Verification = z.object({
  passed: z.boolean(), samples: z.int(), split: z.string(), tolerance: z.number(),
  maxDifference: z.number(), meanDifference: z.number(), relativeDifference: z.number().describe('max difference over the largest logit'),
  top1Agreement: z.number(), differsFromBase: z.number().describe('max logit difference to the untuned backbone under the same head'),
  sentence: z.string(),
})
export type Verification = z.infer<typeof Verification>
export const ExportReport = z.object({
  run: RunId, step: z.int(), as: z.enum(['merged', 'adapter']), format: z.string(), folder: z.string(), files: z.array(z.string()),
  sizeBytes: z.int(), verification: Verification, python: z.string().describe('the lines that load it'),
})
export type ExportReport = z.infer<typeof ExportReport>

export const EvaluateInput = z.object({ run: RunId, checkpoint: CheckpointChoice.default('best'), data: Place.nullable().default(null) })
export const EvaluateReport = z.object({ run: RunId, step: z.int(), split: z.string(), samples: z.int(), metrics: Metrics, interval: Interval.describe('95 % of the accuracy'), evaluation: EvaluationId })
export type EvaluateReport = z.infer<typeof EvaluateReport>

export const Guess = z.object({ label: z.string(), probability: z.number() })
export type Guess = z.infer<typeof Guess>
/** `base` is the same image by the backbone before it was tuned: under its own head where it has one, else under the run's. */
export const Prediction = z.object({
  file: z.string(), top: z.array(Guess), base: z.object({ head: z.enum(['own', 'run']), top: z.array(Guess) }).nullable().default(null),
  problem: z.string().nullable().default(null).describe('why this file could not be read; then nothing is predicted'),
})
export type Prediction = z.infer<typeof Prediction>

/** Image files to try a checkpoint on, beside the backbone before it was tuned. */
export const TryInput = z.object({ run: RunId, checkpoint: CheckpointChoice.default('best'), files: z.array(WholePath).min(1).max(100) })
