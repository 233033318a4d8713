import { z } from 'zod'
import { ErrorValue } from './errors'
import { Recipe } from './recipe'

export const RunId = z.string().regex(/^[a-z0-9][a-z0-9-]{2,80}$/, 'is not a run id')
export type RunId = z.infer<typeof RunId>
/** What a person may ask of a trainer at work; it does it after the step under way. */
export const RunRequest = z.enum(['save', 'evaluate'])
export type RunRequest = z.infer<typeof RunRequest>
export const RunStatus = z.enum(['queued', 'running', 'stopped', 'interrupted', 'finished', 'failed'])
export type RunStatus = z.infer<typeof RunStatus>
export const Metrics = z.record(z.string(), z.number())
export type Metrics = z.infer<typeof Metrics>

const at = { seq: z.int().min(0).describe('position in events.jsonl'), time: z.number().describe('milliseconds since 1970') }
const ending = { run: z.string(), step: z.int(), metrics: Metrics, seconds: z.number(), imagesPerSecond: z.number(), peakMemory: z.int() }

/** One line of events.jsonl and of `train --json`. A `started` with step > 0 is a resume: later lines supersede steps after it. */
export const RunEvent = z.discriminatedUnion('event', [
  z.object({ ...at, event: z.literal('started'), run: z.string(), folder: z.string(), step: z.int(), steps: z.int(), stepsPerEpoch: z.int(), epochs: z.int(), device: z.string(), pid: z.int() }),
  z.object({ ...at, event: z.literal('phase'), phase: z.enum(['prepare', 'data', 'train', 'test', 'save']), done: z.number().nullable(), total: z.number().nullable(), message: z.string() }),
  z.object({ ...at, event: z.literal('step'), step: z.int(), epoch: z.number(), loss: z.number(), accuracy: z.number(), learningRate: z.number(), gradientNorm: z.number(), imagesPerSecond: z.number(), memory: z.int() }),
  z.object({ ...at, event: z.literal('evaluated'), step: z.int(), epoch: z.number(), split: z.enum(['validation', 'test']), metrics: Metrics, best: z.boolean(), samples: z.int().optional().describe('images in the split') }),
  z.object({ ...at, event: z.literal('checkpoint'), step: z.int(), path: z.string(), best: z.boolean(), sizeBytes: z.int(), removed: z.array(z.int()).describe('steps of checkpoints pruned now') }),
  z.object({ ...at, event: z.literal('notice'), level: z.enum(['info', 'warning', 'error']), message: z.string() }),
  z.object({ ...at, event: z.literal('finished'), ...ending }),
  z.object({ ...at, event: z.literal('stopped'), ...ending }),
  z.object({ ...at, event: z.literal('failed'), ...ending, error: ErrorValue }),
])
export type RunEvent = z.infer<typeof RunEvent>
type Unstamped<E> = E extends RunEvent ? Omit<E, 'seq' | 'time'> : never
/** What the trainer yields; the store adds seq and time. */
export type TrainEvent = Unstamped<RunEvent>

/** Why a run was made, where it belongs to others: a sweep, an ablation of a finished run, or the checkpoint whose weights it began with. */
export const RunOrigin = z.object({
  sweep: z.string().min(1).max(100).optional().describe('id that all runs of a sweep share'),
  rung: z.int().min(0).optional().describe('round of successive halving'),
  ablationOf: RunId.optional(), ablation: z.string().min(1).max(40).optional().describe('which change it is'),
  restartOf: RunId.optional(), restartStep: z.int().min(0).optional().describe('of the checkpoint'),
})
export type RunOrigin = z.infer<typeof RunOrigin>

const Tag = z.string().trim().min(1).max(40)
/** What a person adds to a run, beside what was frozen and measured. */
export const RunLabels = z.object({
  favourite: z.boolean().default(false), archived: z.boolean().default(false),
  tags: z.array(Tag).max(32).default([]), note: z.string().max(4000).default(''),
  pins: z.record(z.string().regex(/^\d{1,15}$/), z.boolean()).default({}).describe('by step, whether its checkpoint was pinned or let go'),
})
export type RunLabels = z.infer<typeof RunLabels>
export const LabelInput = z.object({
  runs: z.array(RunId).min(1).max(20_000), favourite: z.boolean().optional(), archived: z.boolean().optional(), note: z.string().max(4000).optional(),
  addTags: z.array(Tag).max(32).default([]), removeTags: z.array(Tag).max(32).default([]),
})
export type LabelInput = z.infer<typeof LabelInput>

/** A row of the Runs table, folded from run.json and events.jsonl. */
export const RunCard = z.object({
  id: RunId, name: z.string(), status: RunStatus, folder: z.string(),
  backbone: z.string(), data: z.string(), method: z.string(), san: z.boolean(), seed: z.int(),
  step: z.int(), steps: z.int(), epochs: z.int(), trainable: z.int(),
  metrics: Metrics.describe('latest of each: train/loss, train/accuracy, validation/accuracy, test/accuracy, …'),
  best: z.object({ metric: z.string(), value: z.number(), step: z.int() }).nullable(),
  createdAt: z.number(), updatedAt: z.number(), seconds: z.number(), imagesPerSecond: z.number(), peakMemory: z.int(),
  error: ErrorValue.nullable(), resumeStep: z.int().nullable().describe('step that Resume would start from'),
  labels: RunLabels.prefault({}),
  variant: z.string().optional().describe('the same for runs whose recipes differ by seeds and name alone'),
  losses: z.array(z.number()).describe('at most 40 points for a sparkline; lists of runs leave them out'),
  samples: z.record(z.string(), z.int()).optional().describe('images that the metrics of a split were measured on'),
  accuracies: z.array(z.number()).optional().describe('the same of validation accuracy, in order of evaluation'),
  origin: RunOrigin.optional(),
})
export type RunCard = z.infer<typeof RunCard>

/** What the feed of changes tells: a run that is new or different, one that is gone, or how many folders have still to be read. */
export const RunChange = z.discriminatedUnion('change', [
  z.object({ change: z.literal('card'), card: RunCard }),
  z.object({ change: z.literal('removed'), run: RunId }),
  z.object({ change: z.literal('unread'), runs: z.int().min(0) }),
])
export type RunChange = z.infer<typeof RunChange>

/** run.json: written once at the start, never changed. */
export const RunManifest = z.object({
  format: z.literal(1), id: RunId, createdAt: z.number(), recipe: Recipe,
  resolved: z.object({
    backbonePath: z.string(), backboneHash: z.string(), dataPath: z.string(), dataHash: z.string(),
    classes: z.array(z.string()), names: z.array(z.string()).optional().describe('what the classes were called, where not as in the data'), trainable: z.int(), learningRate: z.number(),
  }),
  versions: z.record(z.string(), z.string()),
  origin: RunOrigin.optional(),
})
export type RunManifest = z.infer<typeof RunManifest>
export const RunDetail = z.object({ card: RunCard, manifest: RunManifest })
export type RunDetail = z.infer<typeof RunDetail>

export const WatchInput = z.object({ run: RunId, after: z.int().min(-1).default(-1).describe('seq of the last event already seen') })

export const CompareReport = z.object({
  runs: z.array(RunCard),
  differences: z.array(z.object({ field: z.string(), values: z.array(z.unknown()) })),
  shared: z.array(z.object({ field: z.string(), value: z.unknown() })).describe('fields that are the same in all'),
})
export type CompareReport = z.infer<typeof CompareReport>
