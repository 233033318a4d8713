import { z } from 'zod'
import { RunId, RunOrigin } from './run'

/** One lane per device: runs of one lane are trained one after the other. */
export const LaneId = z.string().regex(/^(cpu|gpu\d{1,2})$/, 'is not a lane; they are cpu, gpu0, gpu1, …')
export type LaneId = z.infer<typeof LaneId>

export const QueueLane = z.object({
  id: LaneId, device: z.string(),
  paused: z.boolean(), why: z.string().nullable().describe('what paused it, where no person did'),
  running: RunId.nullable(),
  elsewhere: z.object({ run: z.string(), pid: z.int() }).nullable().describe('a run that another program, or an evaluation, has the device for'),
  waiting: z.array(RunId).describe('in the order in which they start'),
})
export type QueueLane = z.infer<typeof QueueLane>

export const QueueState = z.object({ lanes: z.array(QueueLane), next: LaneId.describe('the lane of a run that names none') })
export type QueueState = z.infer<typeof QueueState>

const LARGEST_ADDITION = 500

/** Recipes are checked and frozen when they are added; one that is wrong adds none. */
export const QueueAdd = z.object({
  recipes: z.array(z.record(z.string(), z.unknown())).min(1).max(LARGEST_ADDITION),
  lane: LaneId.optional(), origin: RunOrigin.omit({ restartOf: true, restartStep: true }).optional(),
})
export type QueueAdd = z.infer<typeof QueueAdd>

export const QueueMove = z.object({ run: RunId, lane: LaneId.optional().describe('another lane'), position: z.int().min(0).describe('among those that wait there') })
export type QueueMove = z.infer<typeof QueueMove>
