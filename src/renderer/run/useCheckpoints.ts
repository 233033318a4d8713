import type { CheckpointCard } from '@contract/checkpoint'
import { computed, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { api } from '../api'
import type { RunHistory } from '../history/runHistory'

/** A run's checkpoints as they lie on disk: read again when its trainer saved one, or when something here took one away. */
export function useCheckpoints(run: Ref<string>, history: ShallowRef<RunHistory>, version: Ref<number>) {
  const checkpoints = shallowRef<CheckpointCard[]>([])
  const saved = computed(() => version.value >= 0 ? history.value.checkpoints.map(({ step, best }) => `${step}${best}`).join() : '')

  async function reloadCheckpoints(): Promise<void> {
    const id = run.value
    // A run that is not there is told of by the page itself.
    const cards = await api.checkpoints.list({ run: id }).catch(() => [])
    if (run.value === id) checkpoints.value = cards
  }
  watch([run, saved], () => void reloadCheckpoints(), { immediate: true })
  return { checkpoints, reloadCheckpoints }
}
