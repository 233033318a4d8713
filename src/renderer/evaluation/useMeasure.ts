import type { EvaluationProgress } from '@contract/evaluation'
import { ref, shallowRef } from 'vue'
import { api } from '../api'
import type { useAttempt } from '../stores/attempt'

export interface Measurement { run: string; checkpoint: number; data: string | null }

/** Evaluates a checkpoint, and tells how far it is. */
export function useMeasure(attempt: ReturnType<typeof useAttempt>['attempt']) {
  const measuring = ref(false)
  const progress = shallowRef<EvaluationProgress | null>(null)

  async function measure(what: Measurement, done: () => Promise<void>): Promise<void> {
    measuring.value = true
    const leave = api.evaluations.progress({ run: what.run }, events => { progress.value = events.at(-1) ?? null })
    await attempt(async () => {
      await api.evaluations.run(what)
      await done()
    })
    leave()
    progress.value = null
    measuring.value = false
  }
  return { measuring, progress, measure }
}
