import type { RunCard } from '@contract/run'
import { computed, type ComputedRef } from 'vue'
import { useHistories } from '../compare/useHistories'
import type { RunHistory } from '../history/runHistory'
import { persisted } from '../lib/persisted'
import { useSelection } from '../runs/selection'
import { useRuns } from '../stores/runs'
import type { ColourName } from '../theme/tokens'

export interface Overlay { id: string; name: string; colour: ColourName; history: RunHistory }

/** The run whose curves lie over this one's; every run's page keeps its own. */
export function useOverlay(card: ComputedRef<RunCard>) {
  const runs = useRuns()
  const selection = useSelection()
  const kept = persisted<Record<string, string>>('run.overlays', {})
  const chosen = computed({
    get: () => runs.find(kept.value[card.value.id] ?? '')?.id ?? null,
    set: id => {
      const others = Object.entries(kept.value).filter(([run, other]) => run !== card.value.id && runs.find(run) && runs.find(other))
      kept.value = Object.fromEntries(id === null ? others : [...others, [card.value.id, id]])
    },
  })
  /** runs on the same images first */
  const candidates = computed(() => runs.all.filter(run => run.id !== card.value.id && run.step > 0).sort((a, b) => Number(b.data === card.value.data) - Number(a.data === card.value.data)))
  const { historyOf, version } = useHistories(computed(() => chosen.value === null ? [] : [chosen.value]))

  function overlay(): Overlay | null {
    const run = chosen.value === null ? undefined : runs.find(chosen.value), history = run && historyOf(run.id)
    return run && history ? { id: run.id, name: run.name || run.id, colour: colourOf(run.id), history } : null
  }
  // the page's own run has the first colour
  const colourOf = (id: string): ColourName => { const colour = selection.colourName(id); return colour && colour !== 'run-1' ? colour : 'run-2' }
  return { chosen, candidates, overlay, version }
}
