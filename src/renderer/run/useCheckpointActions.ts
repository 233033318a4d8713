import type { CheckpointCard } from '@contract/checkpoint'
import type { ErrorValue } from '@contract/errors'
import { ref, shallowRef } from 'vue'
import { api, errorValue } from '../api'

/** Exporting, pinning, deleting checkpoints, and beginning anew from one, shared by a run's page and the page of all checkpoints. */
export function useCheckpointActions(changed: () => Promise<void>) {
  const exporting = shallowRef<CheckpointCard | null>(null)
  const exportShown = ref(false)
  const removing = shallowRef<CheckpointCard | null>(null)
  const removeShown = ref(false)
  const restarting = shallowRef<CheckpointCard | null>(null)
  const restartShown = ref(false)
  const error = shallowRef<ErrorValue | null>(null)

  function askExport(card: CheckpointCard): void {
    exporting.value = card
    exportShown.value = true
  }

  function askRestart(card: CheckpointCard): void {
    restarting.value = card
    restartShown.value = true
  }

  function askRemove(card: CheckpointCard): void {
    removing.value = card
    removeShown.value = true
  }

  async function change(request: () => Promise<void>): Promise<void> {
    try {
      await request()
      error.value = null
    } catch (thrown) {
      error.value = errorValue(thrown)
    }
    await changed()
  }

  const pin = ({ run, step, pinned }: CheckpointCard) => change(() => api.checkpoints.pin({ run, step, pinned: !pinned }))

  async function remove(): Promise<void> {
    const card = removing.value
    removeShown.value = false
    if (card) await change(() => api.checkpoints.remove({ run: card.run, step: card.step }))
  }

  return { exporting, exportShown, removing, removeShown, restarting, restartShown, error, askExport, askRestart, askRemove, pin, remove }
}
