import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { api } from '../api'
import { RunHistory } from './runHistory'

/** Watches a run from its first event. `version` rises at most once per animation frame, however fast events arrive. */
export function useRunHistory(run: Ref<string>) {
  const history = shallowRef(new RunHistory())
  const version = ref(0)
  let close: (() => void) | undefined
  let frame = 0

  function open(id: string): void {
    close?.()
    const fresh = new RunHistory()
    history.value = fresh
    close = api.runs.watch({ run: id, after: -1 }, events => {
      for (const event of events) fresh.push(event)
      if (!frame) frame = requestAnimationFrame(tell)
    })
  }

  function tell(): void {
    frame = 0
    version.value++
  }

  watch(run, open, { immediate: true })
  onScopeDispose(() => {
    close?.()
    cancelAnimationFrame(frame)
  })
  return { history, version }
}
