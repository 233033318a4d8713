import { z } from 'zod'
import { Precision } from './rates'

/** What the first steps of a recipe took and gave, measured by the trainer that would train it. */
export const TrialReport = z.object({
  device: z.string(), precision: Precision,
  prepareSeconds: z.number().describe('loading the backbone, reading the images of these steps, compiling'),
  steps: z.array(z.object({ loss: z.number(), seconds: z.number() })),
  peakMemory: z.int().describe('resident bytes of the trainer, at most'),
})
export type TrialReport = z.infer<typeof TrialReport>
