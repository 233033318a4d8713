import type { RunCard, RunManifest, RunRequest } from '@contract/run'
import { computed, reactive, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { api } from '../api'
import type { RunHistory } from '../history/runHistory'
import { useDatasets } from '../stores/datasets'
import { useQueue } from '../stores/queue'
import { useRuns } from '../stores/runs'

const answers = { save: 'checkpoint', evaluate: 'evaluated' } as const

/** What can be asked of the trainer now, and what was asked and is not done yet. */
export function useRequests(card: ComputedRef<RunCard | null>, manifest: ShallowRef<RunManifest | null>, history: ShallowRef<RunHistory>, version: Ref<number>) {
  const queue = useQueue(), datasets = useDatasets(), runs = useRuns()
  const asked = reactive(new Map<string, number>())

  /** Steps are being trained, and by this program: a trainer that prepares or tests answers nothing, another program's is not heard. */
  const trains = computed(() => version.value >= 0 && card.value?.status === 'running' && history.value.stepCount > 0
    && history.value.phases.at(-1)?.name === 'train' && queue.lanes.some(({ running }) => running === card.value?.id))
  const validates = computed(() => {
    const data = manifest.value?.recipe.data
    return data !== undefined && (data.split.validation > 0 || (datasets.find(data.from)?.splits['validation'] ?? 0) > 0)
  })
  const offered = computed((): RunRequest[] => trains.value ? ['save', ...validates.value ? ['evaluate' as const] : []] : [])

  const keyOf = (what: RunRequest) => `${card.value?.id} ${what}`
  const isAwaited = (what: RunRequest): boolean => {
    const since = asked.get(keyOf(what))
    return version.value >= 0 && since !== undefined && !history.value.lines.some(line => line.seq > since && line.event === answers[what])
  }
  async function ask(what: RunRequest): Promise<void> {
    const run = card.value?.id
    if (!run || isAwaited(what)) return
    asked.set(keyOf(what), history.value.lastSeq)
    const done = await runs.attempt(async () => { await api.runs.ask({ run, what }); return true })
    if (!done) asked.delete(`${run} ${what}`)
  }
  return { offered, isAwaited, ask }
}
