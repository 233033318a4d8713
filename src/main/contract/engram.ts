import { z } from 'zod'
import { EdgeCard, SiteKind, SiteRole } from './model'
import { RunId } from './run'

/** own: the method's vector · pooled: measured on data, running average · weight, magnitude: derived from the weights alone */
export const GainKind = z.enum(['own', 'pooled', 'weight', 'magnitude'])
export type GainKind = z.infer<typeof GainKind>

export const EngramSite = z.object({
  name: z.string(), role: SiteRole, kind: SiteKind, in: z.int(), out: z.int(),
  block: z.int().describe('-1 before the first block, the number of blocks after the last'),
  gain: GainKind.nullable(), shift: z.boolean(),
})
export type EngramSite = z.infer<typeof EngramSite>

/** One gain on its way, as the run's recipe has it. */
export const EngramPath = EdgeCard.omit({ from: true }).extend({
  from: z.array(z.string()), axis: z.enum(['input', 'output']), map: z.enum(['same', 'interp', 'headmean']),
})
export type EngramPath = z.infer<typeof EngramPath>

/** gains/map.json of a run folder: what its records are of. */
export const EngramMap = z.object({ format: z.literal(1), sites: z.array(EngramSite), paths: z.array(EngramPath) })
export type EngramMap = z.infer<typeof EngramMap>

export const EngramReport = z.object({
  map: EngramMap.nullable().describe('null: nothing was recorded'),
  records: z.array(z.object({ step: z.int(), distances: z.array(z.number()).describe('mean |γ − 1| of each site with a gain, in order') })),
  checkpoints: z.array(z.int()).describe('steps that records could be computed from'),
})
export type EngramReport = z.infer<typeof EngramReport>

/** gain and shift: of the outputs · columns, rows: the scale that SAN brings to a site's inputs or outputs */
export const VectorOf = z.enum(['gain', 'shift', 'columns', 'rows'])
export type VectorOf = z.infer<typeof VectorOf>
export const SiteVector = z.object({ of: VectorOf, site: z.string(), values: z.custom<Float32Array>(value => value instanceof Float32Array) })
export type SiteVector = z.infer<typeof SiteVector>

export const RecordInput = z.object({ run: RunId, step: z.int().min(0) })
