import type { ErrorValue } from '@contract/errors'
import type { RunMatches } from '@contract/runQuery'
import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import { api, errorValue } from '../api'
import { useRuns } from '../stores/runs'
import { useRunViews } from '../stores/runViews'

/** While runs change by themselves the table is put in order again this often. */
const againMs = 500

/** What the index finds for the current view, as one types and as runs change. The newest answer counts. */
export function useMatches() {
  const views = useRunViews()
  const runs = useRuns()
  const matches = shallowRef<RunMatches | null>(null)
  const error = shallowRef<ErrorValue | null>(null)
  const query = computed(() => JSON.stringify(views.current.query))
  let asked = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const mine = ++asked
    try {
      const found = await api.runs.query(views.current.query)
      if (mine !== asked) return
      matches.value = found
      error.value = null
    } catch (thrown) {
      if (mine === asked) error.value = errorValue(thrown)
    }
  }

  watch(query, () => void ask(), { immediate: true })
  watch(() => runs.all, () => { timer ??= setTimeout(() => void ask(), againMs) })
  onScopeDispose(() => clearTimeout(timer))
  return { matches, error }
}
