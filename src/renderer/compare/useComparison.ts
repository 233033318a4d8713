import type { ErrorValue } from '@contract/errors'
import type { CompareReport } from '@contract/run'
import { shallowRef, watch, type Ref } from 'vue'
import { api, errorValue } from '../api'

/** The report on some runs, asked for again when others are chosen or `version` rises. */
export function useComparison(ids: Ref<readonly string[]>, version: Ref<unknown>) {
  const report = shallowRef<CompareReport | null>(null)
  const error = shallowRef<ErrorValue | null>(null)
  let asked = 0

  watch([() => ids.value.join(), version], async () => {
    const mine = ++asked
    if (ids.value.length < 2) { report.value = null; return }
    try {
      const found = await api.runs.compare({ runs: [...ids.value] })
      if (mine !== asked) return
      report.value = found
      error.value = null
    } catch (thrown) {
      if (mine === asked) error.value = errorValue(thrown)
    }
  }, { immediate: true })
  return { report, error }
}
