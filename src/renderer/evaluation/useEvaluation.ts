import type { CheckpointCard } from '@contract/checkpoint'
import type { Evaluation, EvaluationCard } from '@contract/evaluation'
import { computed, ref, shallowRef, watch } from 'vue'
import { api } from '../api'
import { useRun } from '../run/context'
import { useAttempt } from '../stores/attempt'
import { useDatasets } from '../stores/datasets'
import { useMeasure } from './useMeasure'

/** What a run's checkpoints said of which data: what is kept, and what is chosen of it. */
export function useEvaluation() {
  const { card, manifest, history, version } = useRun()
  const datasets = useDatasets()
  const { error, attempt } = useAttempt()
  const kept = shallowRef<EvaluationCard[]>([])
  const checkpoints = shallowRef<CheckpointCard[]>([])
  const evaluation = shallowRef<Evaluation | null>(null)
  const loaded = ref(false)
  const step = ref(-1)
  const dataPath = ref('')

  const ownPath = computed(() => manifest.value?.resolved.dataPath ?? '')
  const current = computed(() => kept.value.find(one => one.step === step.value && pathOf(one) === dataPath.value))
  const savedSteps = computed(() => version.value >= 0 ? history.value.checkpoints.map(one => one.step).join() : '')
  const pathOf = (one: EvaluationCard) => one.data.hash === manifest.value?.resolved.dataHash ? ownPath.value : one.data.path

  async function load(): Promise<void> {
    const run = card.value.id
    await attempt(async () => {
      const found = await Promise.all([api.evaluations.list({ run }), api.checkpoints.list({ run })])
      if (run !== card.value.id) return
      kept.value = found[0]
      checkpoints.value = [...found[1]].reverse()
    })
    settle()
    loaded.value = true
  }

  /** Something is always chosen: the best checkpoint on the run's own data, as far as it is there. */
  function settle(): void {
    const steps = [...checkpoints.value, ...kept.value].map(one => one.step)
    if (!steps.includes(step.value)) step.value = kept.value.find(one => one.step === card.value.best?.step)?.step ?? kept.value[0]?.step ?? checkpoints.value.find(one => one.best)?.step ?? steps[0] ?? -1
    if (!dataPath.value) dataPath.value = ownPath.value
  }
  watch([() => card.value.id, () => card.value.status, savedSteps, () => manifest.value], () => void load(), { immediate: true })
  watch(() => card.value.id, () => { step.value = -1; dataPath.value = '' })

  watch(current, async chosen => {
    if (!chosen) evaluation.value = null
    else if (evaluation.value?.id !== chosen.id || evaluation.value.savedAt !== chosen.savedAt) evaluation.value = await attempt(() => api.evaluations.get({ run: chosen.run, id: chosen.id })) ?? null
  }, { immediate: true })

  const { measuring, progress, measure: measureOn, cancel } = useMeasure(() => card.value.id, attempt, load)
  const measure = () => measureOn({ run: card.value.id, checkpoint: step.value, data: dataPath.value === ownPath.value ? null : dataPath.value })

  const sameClasses = (classes: readonly string[]) => classes.length === manifest.value?.resolved.classes.length && classes.every(name => manifest.value!.resolved.classes.includes(name))
  const dataOptions = computed(() => {
    const own = { value: ownPath.value, label: nameOfData(ownPath.value) }
    const elsewhere = datasets.list.filter(one => one.path !== ownPath.value && sameClasses(one.classes)).map(one => ({ value: one.path, label: one.name }))
    const gone = kept.value.filter(one => pathOf(one) !== ownPath.value && !elsewhere.some(({ value }) => value === one.data.path)).map(one => ({ value: one.data.path, label: one.data.name }))
    return [own, ...elsewhere, ...new Map(gone.map(one => [one.value, one])).values()]
  })
  const nameOfData = (path: string) => datasets.list.find(one => one.path === path)?.name ?? kept.value.find(one => pathOf(one) === path)?.data.name ?? card.value.data
  const stepOptions = computed(() => {
    const steps = [...new Set([...checkpoints.value, ...kept.value].map(one => one.step))].sort((a, b) => b - a)
    return steps.map(value => ({ value, label: `${markOf(checkpoints.value.find(one => one.step === value))}step ${value.toLocaleString('en-US')}` }))
  })
  const saved = computed(() => checkpoints.value.some(one => one.step === step.value))

  return { evaluation, step, dataPath, stepOptions, dataOptions, nameOfData, saved, loaded, measuring, progress, error, measure, cancel }
}

const markOf = (card: CheckpointCard | undefined) => card?.best ? 'best, ' : card?.last ? 'last, ' : ''
