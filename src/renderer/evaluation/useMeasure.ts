import { computed } from 'vue'
import { api, unlessCancelled } from '../api'
import { useJobProgress } from '../lib/useJobProgress'
import type { useAttempt } from '../stores/attempt'

export interface Measurement { run: string; checkpoint: number; data: string | null }

/** Evaluates a checkpoint of a run, and tells how far an evaluation of it is. */
export function useMeasure(run: () => string, attempt: ReturnType<typeof useAttempt>['attempt'], ended: () => Promise<void>) {
  const progress = useJobProgress(run, (id, on) => api.evaluations.progress({ run: id }, on), ended)
  const measuring = computed(() => progress.value !== null)
  const measure = (what: Measurement) => attempt(() => api.evaluations.run(what).catch(unlessCancelled))
  const cancel = () => attempt(() => api.evaluations.cancel({ run: run() }))
  return { measuring, progress, measure, cancel }
}
