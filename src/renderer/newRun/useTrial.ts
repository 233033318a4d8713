import type { TrialReport } from '@contract/trial'
import { ref, shallowRef, watch } from 'vue'
import { api, unlessCancelled } from '../api'
import { useJobProgress } from '../lib/useJobProgress'
import { useAttempt } from '../stores/attempt'
import { useDraft } from '../stores/draft'

/** Two steps of the recipe as it is; what they gave is forgotten when it changes. */
export function useTrial() {
  const draft = useDraft()
  const report = shallowRef<TrialReport | null>(null)
  const trying = ref(false)
  const { error, attempt } = useAttempt()
  const progress = useJobProgress(() => '', (_, on) => api.trial.progress(undefined, on))

  async function run(): Promise<void> {
    const asked = JSON.stringify(draft.recipe)
    trying.value = true
    report.value = null
    const found = await attempt(() => api.trial.run(draft.recipe).catch(unlessCancelled))
    trying.value = false
    if (found && asked === JSON.stringify(draft.recipe)) report.value = found
  }

  watch(() => JSON.stringify({ ...draft.recipe, name: '' }), () => { report.value = error.value = null })
  return { report, trying, error, progress, run, cancel: () => attempt(() => api.trial.cancel(undefined)) }
}
