import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import { api } from '../api'
import { RunHistory } from './runHistory'
import { useNews } from './useNews'

/** Watches a run from its first event. `version` rises at most once a second: what is drawn takes processor time that the training may need. */
export function useRunHistory(run: Ref<string>) {
  const history = shallowRef(new RunHistory())
  const { version, tell, restart } = useNews()
  let close: (() => void) | undefined

  function open(id: string): void {
    close?.()
    restart()
    const fresh = new RunHistory()
    history.value = fresh
    close = api.runs.watch({ run: id, after: -1 }, events => {
      for (const event of events) fresh.push(event)
      tell()
    })
  }

  watch(run, open, { immediate: true })
  onScopeDispose(() => close?.())
  return { history, version }
}
