import { z } from 'zod'

/** How far a job is that this program makes, beside trainings. */
export const JobProgress = z.object({ state: z.enum(['waiting', 'running', 'ended']), message: z.string(), done: z.number().nullable(), total: z.number().nullable() })
export type JobProgress = z.infer<typeof JobProgress>
