import type { ErrorValue } from '@contract/errors'
import type { VerdictReport } from '@contract/evaluation'
import { shallowRef, watch, type Ref } from 'vue'
import { api, errorValue } from '../api'

/** Whether the differences between runs are more than noise, against a baseline. */
export function useVerdict(runs: Ref<readonly string[]>, baseline: Ref<string | null>) {
  const verdict = shallowRef<VerdictReport | null>(null)
  const error = shallowRef<ErrorValue | null>(null)
  let asked = 0
  watch([() => runs.value.join(), baseline], async () => {
    const mine = ++asked
    try {
      const found = await api.runs.verdict({ runs: [...runs.value], baseline: baseline.value })
      if (mine === asked) [verdict.value, error.value] = [found, null]
    } catch (thrown) {
      if (mine === asked) [verdict.value, error.value] = [null, errorValue(thrown)]
    }
  }, { immediate: true })
  return { verdict, error }
}
