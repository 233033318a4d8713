import type { Evaluation } from '@contract/evaluation'
import { pairVerdict, sameImages } from '@contract/pair'
import { computed, ref, shallowRef, watch, type ShallowRef } from 'vue'
import { api } from '../api'
import { useRun } from '../run/context'
import { useAttempt } from '../stores/attempt'
import { useRuns } from '../stores/runs'

const NOTHING = ''
const OFFERED = 50

/** Another run's predictions for the same images, and whether the difference is more than noise. */
export function useBeside(evaluation: Readonly<ShallowRef<Evaluation | null>>) {
  const { card } = useRun()
  const runs = useRuns()
  const { error, attempt } = useAttempt()
  const run = ref(NOTHING)
  const beside = shallowRef<Evaluation | null>(null)
  const missing = ref('')
  watch(() => card.value.id, () => { run.value = NOTHING })

  watch([run, evaluation], async () => {
    beside.value = null
    missing.value = ''
    const own = evaluation.value, other = runs.find(run.value)
    if (!own || !other) return
    await attempt(async () => {
      const same = (await api.evaluations.list({ run: other.id })).filter(one => sameImages(one, own))
      const best = same.find(one => one.step === (other.best?.step ?? other.step)) ?? same[0]
      if (best) beside.value = await api.evaluations.get({ run: other.id, id: best.id })
      else missing.value = `${name.value} has no predictions for these images; evaluate it on them first.`
    })
  })

  const options = computed(() => [
    { value: NOTHING, label: 'nothing' },
    ...runs.all.filter(one => one.id !== card.value.id && one.data === card.value.data && one.step > 0).slice(0, OFFERED).map(one => ({ value: one.id, label: one.name || one.id })),
  ])
  const name = computed(() => runs.find(run.value)?.name || run.value)
  const verdict = computed(() => evaluation.value && beside.value ? pairVerdict(evaluation.value, beside.value, id => id === card.value.id ? 'This run' : name.value) : null)
  return { run, beside, missing, options, name, verdict, error }
}
