import type { TensorCard } from '@contract/model'
import { ref, shallowRef, watch } from 'vue'
import { api, unlessCancelled } from '../api'
import { useJobProgress } from '../lib/useJobProgress'
import { useAttempt } from '../stores/attempt'

/** What the tensors of a backbone hold: every number is read the first time, which a person may cancel. */
export function useTensors(path: () => string) {
  const tensors = shallowRef<TensorCard[] | null>(null)
  const cancelled = ref(false)
  const { error, attempt } = useAttempt()
  const progress = useJobProgress(path, (at, on) => api.models.tensorsProgress({ path: at }, on))

  async function read(): Promise<void> {
    const asked = path()
    tensors.value = null
    cancelled.value = false
    const found = await attempt(() => api.models.tensors({ path: asked }).catch(unlessCancelled))
    if (asked !== path()) return
    tensors.value = found ?? null
    cancelled.value = !found && !error.value
  }
  const cancel = () => attempt(() => api.models.cancelTensors({ path: path() }))

  watch(path, () => void read(), { immediate: true })
  return { tensors, progress, cancelled, error, read, cancel }
}
