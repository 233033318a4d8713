import type { EngramReport } from '@contract/engram'
import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { api } from '../api'
import { useAttempt } from '../stores/attempt'
import type { Vectors } from './lens'
import { forgetVectors, loadVectors } from './records'

/** A run's records and the step that is shown; by default the newest one. `saves` changes when the run may have recorded more. */
export function useRecords(run: Ref<string>, saves: Ref<string>) {
  const report = shallowRef<EngramReport | null>(null)
  const { error, attempt } = useAttempt()
  const computing = ref(false)
  const follow = ref(true)
  const step = ref(0)
  const vectors = shallowRef<Vectors | null>(null)
  const before = shallowRef<Vectors | null>(null)
  const last = shallowRef<Vectors | null>(null)
  const steps = computed(() => report.value?.records.map(record => record.step) ?? [])
  const stepBefore = computed(() => steps.value[steps.value.indexOf(step.value) - 1] ?? null)

  async function load(): Promise<void> {
    const id = run.value, answer = await attempt(() => api.engram.show({ run: id }))
    if (answer && id === run.value) take(answer)
  }

  function take(answer: EngramReport): void {
    const newest = answer.records.at(-1)?.step ?? 0
    if (newest < (steps.value.at(-1) ?? 0)) forgetVectors(run.value)
    report.value = answer
    if (follow.value || !steps.value.includes(step.value)) step.value = newest
    void show()
  }

  /** Keeps what is shown until the chosen step is there. */
  async function show(): Promise<void> {
    const id = run.value, at = step.value, past = stepBefore.value
    if (!steps.value.includes(at)) return
    const found = await attempt(() => Promise.all([loadVectors(id, at), past === null ? null : loadVectors(id, past), loadVectors(id, steps.value.at(-1)!)]))
    if (!found || id !== run.value || at !== step.value) return
    ;[vectors.value, before.value, last.value] = found
  }

  function goTo(index: number): void {
    const next = steps.value[Math.max(0, Math.min(steps.value.length - 1, index))]
    if (next === undefined) return
    follow.value = next === steps.value.at(-1)
    step.value = next
  }

  async function compute(): Promise<void> {
    computing.value = true
    const answer = await attempt(() => api.engram.compute({ run: run.value }))
    computing.value = false
    if (answer) take(answer)
  }

  watch(run, () => {
    report.value = vectors.value = before.value = last.value = null
    follow.value = true
    void load()
  }, { immediate: true })
  watch(saves, () => void load())
  watch(step, () => void show())
  return { report, error, attempt, computing, follow, step, steps, stepBefore, vectors, before, last, goTo, compute }
}
