import type { CheckpointCard, PruneReport, PruneRule } from '@contract/checkpoint'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { api } from '../api'
import { groupBy } from '../lib/groupBy'
import { useAttempt } from '../stores/attempt'
import { useSettings } from '../stores/settings'

const PAUSE_MS = 200
export interface PrunedOfRun { run: string; cards: CheckpointCard[]; sizeBytes: number }

/** A rule for checkpoints, what it would delete now, and its deletion. */
export function usePrune(runs: () => string[] | null) {
  const settings = useSettings()
  const rule = reactive({ last: true, everySteps: null as number | null, budgetBytes: null as number | null })
  const report = shallowRef<PruneReport | null>(null)
  const deleting = ref(false)
  const { error, attempt } = useAttempt()
  const whole = (): PruneRule => ({ runs: runs(), ...rule })
  let asked = 0
  let pause: ReturnType<typeof setTimeout> | undefined

  async function look(): Promise<void> {
    const mine = ++asked
    const found = await attempt(() => api.checkpoints.preview(whole()))
    if (mine === asked) report.value = found ?? null
  }

  /** Begins anew, with the budget of the settings where the whole workspace is meant. */
  function open(): void {
    clearTimeout(pause)
    report.value = null
    Object.assign(rule, { last: true, everySteps: null, budgetBytes: runs() === null ? settings.values.checkpointBudgetBytes : null })
    void look()
  }

  watch(rule, () => {
    clearTimeout(pause)
    pause = setTimeout(() => void look(), PAUSE_MS)
  })

  async function prune(): Promise<PruneReport | undefined> {
    const going = report.value?.going.map(({ run, step }) => ({ run, step })) ?? []
    if (going.length === 0) return undefined
    deleting.value = true
    const done = await attempt(() => api.checkpoints.prune({ rule: whole(), going }))
    deleting.value = false
    return done
  }

  const byRun = computed((): PrunedOfRun[] => [...groupBy(report.value?.going ?? [], ({ run }) => run)]
    .map(([run, cards]) => ({ run, cards, sizeBytes: cards.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes))
  return { rule, report, byRun, deleting, error, open, prune }
}
