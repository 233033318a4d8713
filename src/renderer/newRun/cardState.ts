import type { PlanReport } from '@contract/plan'

/** How a card stands: chosen or not, and the worst notice among its fields. */
export function cardState(plan: PlanReport | null, section: string, chosen: boolean): 'done' | 'todo' | 'warning' | 'error' {
  if (!chosen) return 'todo'
  const levels = (plan?.notices ?? []).filter(notice => notice.field === section || notice.field?.startsWith(`${section}.`)).map(notice => notice.level)
  return levels.includes('error') ? 'error' : levels.includes('warning') ? 'warning' : 'done'
}
