import type { EvaluationProgress } from '@contract/evaluation'
import { computed, shallowRef, watch } from 'vue'
import { api, RequestError } from '../api'
import type { useAttempt } from '../stores/attempt'

export interface Measurement { run: string; checkpoint: number; data: string | null }

/** Evaluates a checkpoint of a run, and tells how far an evaluation of it is, whoever began it: a page that is loaded anew finds it again. */
export function useMeasure(run: () => string, attempt: ReturnType<typeof useAttempt>['attempt'], ended: () => Promise<void>) {
  const progress = shallowRef<EvaluationProgress | null>(null)
  const measuring = computed(() => progress.value !== null)

  function follow(events: readonly EvaluationProgress[]): void {
    const last = events.at(-1)
    progress.value = last && last.state !== 'ended' ? last : null
    if (last?.state === 'ended') void ended()
  }
  watch(run, (id, _, onCleanup) => {
    progress.value = null
    onCleanup(api.evaluations.progress({ run: id }, follow))
  }, { immediate: true })

  const measure = (what: Measurement) => attempt(() => api.evaluations.run(what).catch((thrown: unknown) => {
    if (!(thrown instanceof RequestError && thrown.value.code === 'cancelled')) throw thrown
  }))
  const cancel = () => attempt(() => api.evaluations.cancel({ run: run() }))
  return { measuring, progress, measure, cancel }
}
