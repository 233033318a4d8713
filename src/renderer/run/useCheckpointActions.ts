import type { CheckpointCard } from '@contract/checkpoint'
import { reactive, ref, shallowRef } from 'vue'
import { api } from '../api'
import { useAttempt } from '../stores/attempt'

/** Trying, exporting, pinning, deleting checkpoints, and beginning anew from one, shared by a run's page and the page of all checkpoints. */
export function useCheckpointActions(changed: () => Promise<void>) {
  const [trying, exporting, removing, restarting] = [dialogAbout(), dialogAbout(), dialogAbout(), dialogAbout()]
  const { error, attempt } = useAttempt()

  async function change(request: () => Promise<void>): Promise<void> {
    await attempt(request)
    await changed()
  }

  const pin = ({ run, step, pinned }: CheckpointCard) => change(() => api.checkpoints.pin({ run, step, pinned: !pinned }))

  async function remove(): Promise<void> {
    const { card } = removing
    removing.shown = false
    if (card) await change(() => api.checkpoints.remove({ run: card.run, step: card.step }))
  }

  return reactive({ trying, exporting, removing, restarting, error, pin, remove })
}

/** A dialog, and the checkpoint that it is or was about. */
function dialogAbout() {
  const card = shallowRef<CheckpointCard | null>(null)
  const shown = ref(false)
  function ask(about: CheckpointCard): void {
    card.value = about
    shown.value = true
  }
  return reactive({ card, shown, ask })
}
