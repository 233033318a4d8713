import { z } from 'zod'
import { EdgeCard, SiteRole } from './model'

export const Notice = z.object({
  level: z.enum(['error', 'warning', 'info']),
  field: z.string().nullable().describe('path in the recipe, such as train.learningRate; "weights" for those of a checkpoint to begin with'),
  message: z.string(),
})
export type Notice = z.infer<typeof Notice>

export const PlannedTensor = z.object({ name: z.string(), shape: z.array(z.int()), count: z.int() })
export const PlannedSite = z.object({
  site: z.string(), kind: z.string(), shape: z.array(z.int()), tensors: z.array(PlannedTensor),
  from: z.array(z.string()).describe('sites whose gain scales this one under SAN'),
})

/** The propagation that SAN would do. */
export const SanPlan = z.object({
  edges: z.array(EdgeCard.extend({ axis: z.enum(['input', 'output']) })),
  layers: z.array(z.object({ site: z.string(), role: SiteRole, width: z.int().describe('output channels'), gain: z.boolean() }))
    .describe('every layer with a gain or a propagated scale, in forward order'),
  refused: z.array(z.object({ from: z.string(), to: z.string(), gains: z.int(), room: z.int().describe('channels of the target\'s axis'), axis: z.enum(['input', 'output']) }))
    .describe('paths that the topology asks for and that fall out because widths differ'),
})
export type SanPlan = z.infer<typeof SanPlan>

/** What a recipe would train and cost, computed without a tensor. Bytes. */
export const MemorySaving = z.object({
  change: z.record(z.string(), z.union([z.boolean(), z.number()])).describe('fields of the recipe, with their new values'),
  total: z.int().describe('bytes that the run would need then'),
})
export type MemorySaving = z.infer<typeof MemorySaving>

export const PlanReport = z.object({
  trainable: z.object({
    total: z.int(), head: z.int(), method: z.int(),
    sites: z.array(PlannedSite).describe('every site that trains something, and the head'),
  }),
  parameters: z.int().describe('of the whole model with its head'),
  memory: z.object({ frozen: z.int(), trained: z.int(), activations: z.int(), workspace: z.int(), total: z.int(), lower: z.array(MemorySaving) }),
  steps: z.object({ perEpoch: z.int(), total: z.int() }).nullable().describe('null until the data is known'),
  san: SanPlan.nullable(),
  learningRate: z.number(),
  notices: z.array(Notice),
})
export type PlanReport = z.infer<typeof PlanReport>
