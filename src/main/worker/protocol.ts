import { z } from 'zod'
import { CheckpointChoice, EvaluateReport, ExportReport, Prediction } from '../contract/checkpoint'
import { ErrorValue } from '../contract/errors'
import { TensorCard } from '../contract/model'
import { RunEvent, RunRequest, type TrainEvent } from '../contract/run'
import { TrialReport } from '../contract/trial'

/** Inputs of the jobs. Every path is absolute; ids were resolved by the service that starts the job. */
export const TrainInput = z.object({ runFolder: z.string(), workspace: z.string(), resume: z.boolean() })
export type TrainInput = z.infer<typeof TrainInput>
export const EvaluateInput = z.object({
  runFolder: z.string(), workspace: z.string(), checkpoint: CheckpointChoice,
  data: z.string().nullable().describe('null: the data of the run itself'),
})
export type EvaluateInput = z.infer<typeof EvaluateInput>
export const PredictInput = z.object({
  runFolder: z.string().nullable(), checkpoint: CheckpointChoice, model: z.string().nullable().describe('a backbone or an export, when runFolder is null'),
  workspace: z.string(), files: z.array(z.string()).min(1),
  withBase: z.boolean().default(false).describe('also what the backbone said before it was tuned'),
  skipBroken: z.boolean().default(false).describe('a file that is no image is told with its prediction instead of ending the job'),
})
export type PredictInput = z.infer<typeof PredictInput>
export const LogitsInput = z.object({ model: z.string(), adapter: z.string().nullable(), input: z.string(), output: z.string() })
export type LogitsInput = z.infer<typeof LogitsInput>
export const ExportInput = z.object({
  runFolder: z.string(), workspace: z.string(), checkpoint: CheckpointChoice, as: z.enum(['merged', 'adapter']), out: z.string(),
})
export type ExportInput = z.infer<typeof ExportInput>

export const TensorsInput = z.object({ model: z.string() })
export type TensorsInput = z.infer<typeof TensorsInput>
/** The run is one that nobody will see; `cache` is where its decoded images go. */
export const TrialInput = z.object({ runFolder: z.string(), workspace: z.string(), cache: z.string() })
export type TrialInput = z.infer<typeof TrialInput>
export const GainsInput = z.object({ runFolder: z.string() })
export type GainsInput = z.infer<typeof GainsInput>

/** The run's last event says the same, with its metrics. */
export const TrainResult = z.object({ ended: z.enum(['finished', 'stopped']), step: z.int() })
export type TrainResult = z.infer<typeof TrainResult>
export const LogitsResult = z.object({ output: z.string(), tensors: z.array(z.object({ name: z.string(), shape: z.array(z.int()) })) })
export type LogitsResult = z.infer<typeof LogitsResult>
export const GainsResult = z.object({ steps: z.array(z.int()) })
export type GainsResult = z.infer<typeof GainsResult>

export const Job = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('train'), input: TrainInput }),
  z.object({ kind: z.literal('evaluate'), input: EvaluateInput }),
  z.object({ kind: z.literal('predict'), input: PredictInput }),
  z.object({ kind: z.literal('logits'), input: LogitsInput }),
  z.object({ kind: z.literal('export'), input: ExportInput }),
  z.object({ kind: z.literal('gains'), input: GainsInput }),
  z.object({ kind: z.literal('tensors'), input: TensorsInput }),
  z.object({ kind: z.literal('trial'), input: TrialInput }),
])
export type Job = z.infer<typeof Job>
export type JobKind = Job['kind']

export const jobResults = {
  train: TrainResult, evaluate: EvaluateReport, predict: z.array(Prediction), logits: LogitsResult, export: ExportReport, gains: GainsResult, tensors: z.array(TensorCard), trial: TrialReport,
} as const
export type JobResult<K extends JobKind = JobKind> = z.infer<(typeof jobResults)[K]>
export type JobInput<K extends JobKind = JobKind> = Extract<Job, { kind: K }>['input']

export const JobPhase = z.enum(['prepare', 'data', 'train', 'test', 'save'])
export type JobPhase = z.infer<typeof JobPhase>

/** What a job may do to the world besides reading and writing files. */
export interface JobContext {
  /** What computes, for people: "CPU (2 cores)", "NVIDIA H200". */
  readonly device: string
  /** Training only: appends one line to events.jsonl, then tells the host. */
  emit(event: TrainEvent): void
  /** A `phase` event in training, a plain progress message otherwise; called too often it drops what is in between. */
  progress(phase: JobPhase, done: number | null, total: number | null, message: string): void
  stopRequested(): boolean
  /** Training only: what a person has asked for since the last call. */
  requests(): ReadonlySet<RunRequest>
  /** Lets messages in; false when a stop is asked. Await it between steps, batches and files. */
  turn(): Promise<boolean>
}
export type JobFunction<K extends JobKind> = (input: JobInput<K>, ctx: JobContext) => Promise<JobResult<K>>

/** The lock of a device that the host took for this trainer. */
const LaneToken = z.object({ path: z.string(), token: z.string() })

/** Host to trainer. */
export const HostMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), job: Job, lockToken: z.string().nullable().describe('the run lock that the host took for this trainer'), lane: LaneToken.nullable() }),
  z.object({ type: z.literal('probe') }).describe('load TensorFlow, say `ready`, and do nothing'),
  z.object({ type: z.literal('stop') }),
  z.object({ type: z.literal('ask'), what: RunRequest }),
  z.object({ type: z.literal('bye') }).describe('the answer arrived; the trainer may exit'),
])
export type HostMessage = z.infer<typeof HostMessage>

/** Trainer to host. */
export const TrainerMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), pid: z.int(), device: z.string() }),
  z.object({ type: z.literal('alive'), memory: z.int().describe('resident bytes') }),
  z.object({ type: z.literal('event'), event: RunEvent }),
  z.object({ type: z.literal('progress'), phase: JobPhase, done: z.number().nullable(), total: z.number().nullable(), message: z.string() }),
  z.object({ type: z.literal('done'), result: z.unknown() }),
  z.object({ type: z.literal('failed'), error: ErrorValue }),
])
export type TrainerMessage = z.infer<typeof TrainerMessage>
