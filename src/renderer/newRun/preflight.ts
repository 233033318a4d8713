import type { DatasetCard } from '@contract/dataset'
import type { BackboneCard } from '@contract/model'
import type { Notice, PlanReport } from '@contract/plan'
import type { SystemStatus } from '@contract/system'
import { bytes, plural } from '../lib/format'

export interface Check { level: 'ok' | 'info' | 'warning' | 'error' | 'todo'; text: string; field: string | null }
export interface Situation { plan: PlanReport | null; /** the plan is of an older recipe: what was wrong may be mended */ checking: boolean; backbone: BackboneCard | undefined; data: DatasetCard | undefined; status: SystemStatus | null; /** whether a field has been written at all */ isWritten: (field: string) => boolean; labelOf: (field: string) => string }

const rank = { error: 0, todo: 1, warning: 2, info: 3, ok: 4 }
const bytesPerParameter = 12
/** Not yet chosen is no mistake. */
const choices = { 'backbone.from': 'Choose a backbone', 'data.from': 'Choose data', 'method.type': 'Choose a method' }

/** Everything worth knowing before the start: what the plan objects to first, then what is ready. */
export function preflight({ plan, checking, backbone, data, status, isWritten, labelOf }: Situation): Check[] {
  const missing = Object.entries(choices).filter(([field]) => !isWritten(field))
  const told = (plan?.notices ?? []).filter(({ level, field }: Notice) => level !== 'error' || (!checking && !missing.some(([path]) => path === field)))
  const checks: Check[] = [...missing.map(([field, text]) => ({ level: 'todo' as const, text, field })), ...told.map(({ level, message, field }) => ({ level, text: said(message, field, labelOf), field }))]
  if (backbone) checks.push(backbone.problem ? { level: 'error', text: backbone.problem, field: 'backbone.from' } : { level: 'ok', text: `${backbone.name} is on disk`, field: null })
  if (data) checks.push(dataCheck(data))
  if (plan && status) checks.push(...machineChecks(plan, status))
  return checks.sort((a, b) => rank[a.level] - rank[b.level])
}

/** A field goes by its label in the form, not by its path in the recipe. */
const said = (message: string, field: string | null, labelOf: Situation['labelOf']): string => field && message.startsWith(`${field}: `) ? `${labelOf(field)} ${message.slice(field.length + 2)}` : message

function dataCheck(data: DatasetCard): Check {
  const images = Object.values(data.splits).reduce((a, b) => a + b, 0)
  if (data.problem) return { level: 'error', text: data.problem, field: 'data.from' }
  if (data.broken.length > 0) return { level: 'warning', text: `${data.broken.length} of ${plural(images, 'image')} could not be read`, field: 'data.from' }
  return { level: 'ok', text: `${plural(images, 'image')} found, none broken`, field: null }
}

function machineChecks(plan: PlanReport, status: SystemStatus): Check[] {
  const missing = Math.max(0, plan.memory.total + status.memoryUsed - status.memoryTotal)
  const saved = plan.trainable.total * bytesPerParameter
  const checks: Check[] = []
  if (missing > 0) checks.push({ level: 'warning', text: `Memory may not suffice: about ${bytes(missing)} too little`, field: 'train.batchSize' })
  else if (plan.memory.total > 0) checks.push({ level: 'ok', text: `Fits into memory, ${bytes(status.memoryTotal - status.memoryUsed)} free`, field: null })
  if (plan.trainable.total > 0) checks.push(saved * 4 > status.diskFree
    ? { level: 'error', text: `Checkpoints need ${bytes(saved)} each, ${bytes(status.diskFree)} free`, field: 'checkpoints.keep' }
    : { level: 'ok', text: `Checkpoints need about ${bytes(saved)} each, ${bytes(status.diskFree)} free`, field: null })
  return checks
}

/** Bytes that the run needs beyond the whole device; 0 when it could fit. What others hold now is only a warning: it may be gone by then. */
export function missingMemory(plan: PlanReport | null, status: SystemStatus | null): number {
  if (!plan || !status || status.memoryTotal <= 0) return 0
  return Math.max(0, plan.memory.total - status.memoryTotal)
}
