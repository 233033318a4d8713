import { onScopeDispose, watch, type Ref } from 'vue'
import { api } from '../api'
import { RunHistory } from '../history/runHistory'
import { useNews } from '../history/useNews'

/** The events of several runs; `version` rises at most once a second. */
export function useHistories(runs: Ref<readonly string[]>) {
  const histories = new Map<string, { history: RunHistory; close: () => void }>()
  const { version, tell } = useNews()

  function open(run: string): void {
    const history = new RunHistory()
    const close = api.runs.watch({ run, after: -1 }, events => {
      for (const event of events) history.push(event)
      tell()
    })
    histories.set(run, { history, close })
  }
  function closeRun(run: string): void {
    histories.get(run)?.close()
    histories.delete(run)
  }

  watch(runs, wanted => {
    for (const run of [...histories.keys()]) if (!wanted.includes(run)) closeRun(run)
    for (const run of wanted) if (!histories.has(run)) open(run)
    version.value++
  }, { immediate: true })
  onScopeDispose(() => { for (const run of [...histories.keys()]) closeRun(run) })
  return { historyOf: (run: string) => histories.get(run)?.history, version }
}
