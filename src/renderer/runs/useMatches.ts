import type { ErrorValue } from '@contract/errors'
import type { RunMatches } from '@contract/runQuery'
import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import { api, errorValue } from '../api'
import { useRuns } from '../stores/runs'
import { useRunViews } from '../stores/runViews'

/** While runs change by themselves the table is put in order again this often. */
const againMs = 500

const mostKept = 8

/**
 * What the index finds for the current view, as one types and as runs change. The newest answer counts. What it found for the same
 * words and filters before (an emptied field, letters taken back) stands until it has answered.
 */
export function useMatches() {
  const views = useRunViews()
  const runs = useRuns()
  const matches = shallowRef<RunMatches | null>(null)
  const error = shallowRef<ErrorValue | null>(null)
  const query = computed(() => JSON.stringify(views.current.query))
  const kept = new Map<string, RunMatches>()
  let asked = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const mine = ++asked
    const key = query.value
    matches.value = kept.get(key) ?? matches.value
    try {
      const found = await api.runs.query(views.current.query)
      if (mine !== asked) return
      matches.value = keep(key, found)
      error.value = null
    } catch (thrown) {
      if (mine === asked) error.value = errorValue(thrown)
    }
  }

  /** The same answer stays the same object, so that nothing is drawn again. */
  function keep(key: string, found: RunMatches): RunMatches {
    const before = kept.get(key)
    const newest = before && JSON.stringify(before) === JSON.stringify(found) ? before : found
    kept.delete(key)
    kept.set(key, newest)
    for (const oldest of [...kept.keys()].slice(0, -mostKept)) kept.delete(oldest)
    return newest
  }

  watch(query, () => void ask(), { immediate: true })
  watch(() => runs.all, () => { timer ??= setTimeout(() => void ask(), againMs) })
  onScopeDispose(() => clearTimeout(timer))
  return { matches, error }
}
