import { z } from 'zod'

/** One change to a run's recipe that tells what a part of it was worth. */
export const Ablation = z.object({
  id: z.string(), title: z.string(), sentence: z.string(),
  recipe: z.record(z.string(), z.unknown()).nullable().describe('null where it makes no sense for this run'),
})
export type Ablation = z.infer<typeof Ablation>
