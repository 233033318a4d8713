import { z } from 'zod'

/** What the window knows of a method: everything in it is derived from the method's declaration. */
export const MethodCard = z.object({
  id: z.string(), title: z.string(), family: z.string(), summary: z.string(), formula: z.string(), advice: z.string(),
  paper: z.object({ title: z.string(), year: z.int(), arxiv: z.string() }).nullable(),
  learningRate: z.number(),
  peft: z.string().nullable().describe('its type in HF PEFT, where it has one'),
  san: z.object({ offered: z.boolean(), why: z.string() }),
  config: z.record(z.string(), z.unknown()).describe('JSON Schema of the method\'s fields, with title, description, unit, default'),
})
export type MethodCard = z.infer<typeof MethodCard>

export const MethodCatalog = z.object({
  methods: z.array(MethodCard),
  san: z.record(z.string(), z.unknown()).describe('JSON Schema of SAN\'s fields'),
})
export type MethodCatalog = z.infer<typeof MethodCatalog>
