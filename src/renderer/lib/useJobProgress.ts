import type { JobProgress } from '@contract/progress'
import { shallowRef, watch, type ShallowRef } from 'vue'

/** How far a job is, whoever began it: a page that is loaded anew finds it again. Null where none is under way. */
export function useJobProgress(about: () => string, subscribe: (about: string, on: (events: JobProgress[]) => void) => () => void, ended?: () => Promise<void>): ShallowRef<JobProgress | null> {
  const progress = shallowRef<JobProgress | null>(null)

  function follow(events: readonly JobProgress[]): void {
    const last = events.at(-1)
    progress.value = last && last.state !== 'ended' ? last : null
    if (last?.state === 'ended') void ended?.()
  }
  watch(about, (now, _, onCleanup) => {
    progress.value = null
    onCleanup(subscribe(now, follow))
  }, { immediate: true })
  return progress
}
