import type { PlanReport } from '@contract/plan'
import { bytes } from '../lib/format'

export interface NextStep { text: string; /** where to go to mend it; null when the run can start */ field: string | null; ready: boolean }
interface Standing { backbone: string; data: string; method: string; plan: PlanReport | null; /** the plan is of an older recipe */ checking: boolean; start: string; missingBytes: number; labelOf: (path: string) => string }

/** What the Start button says: the first thing missing, in the order in which a recipe is written. */
export function nextStep({ backbone, data, method, plan, checking, start, missingBytes, labelOf }: Standing): NextStep {
  if (!backbone) return { text: 'Choose a backbone', field: 'backbone.from', ready: false }
  if (!data) return { text: 'Choose data', field: 'data.from', ready: false }
  if (!method) return { text: 'Choose a method', field: 'method.type', ready: false }
  const error = plan?.notices.find(notice => notice.level === 'error')
  if (checking && (error || missingBytes > 0)) return { text: 'Checking the recipe', field: null, ready: false }
  if (error) return { text: error.field ? `Fix ${labelOf(error.field).toLowerCase()}` : 'Fix the recipe', field: error.field, ready: false }
  if (missingBytes > 0) return { text: `Free ${bytes(missingBytes)} of memory`, field: 'train.batchSize', ready: false }
  // a plan still on its way holds nobody up: starting checks the recipe again
  return { text: start, field: null, ready: true }
}
