import { Sweep, sweepRounds, type SweepAxis } from '@contract/sweep'
import { defineStore, storeToRefs } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { ErrorValue } from '@contract/errors'
import { api, errorValue } from '../api'
import { parseNumber } from '../lib/number'
import { persisted } from '../lib/persisted'
import { useDraft } from './draft'

export interface AxisLine { field: string; kind: SweepAxis['kind']; /** a list: "1, 2, 4"; otherwise "from, to, count" */ text: string }
type Search = Sweep['search']

/** What the New run page sweeps over beside the draft: lines as they are written, and the sweep they make. */
export const useSweep = defineStore('sweep', () => {
  const draft = useDraft()
  const { isSwept: on } = storeToRefs(draft)
  const lines = persisted<AxisLine[]>('sweep.lines', [{ field: 'train.learningRate', kind: 'log', text: '1e-4, 1e-2, 4' }])
  const search = persisted<Search>('sweep.search', 'grid')
  const runs = persisted<number>('sweep.runs', 8)
  const error = shallowRef<ErrorValue | null>(null)
  const starting = ref(false)

  const axes = computed(() => lines.value.map(toAxis))
  const sweep = computed(() => Sweep.safeParse({ axes: axes.value, search: search.value, runs: runs.value }).data ?? null)
  const rounds = computed(() => {
    const epochs = draft.get('train.epochs')
    return sweep.value ? sweepRounds(sweep.value, typeof epochs === 'number' ? epochs : 10) : []
  })
  const total = computed(() => rounds.value.reduce((sum, round) => sum + round.runs, 0))

  async function start(): Promise<boolean> {
    if (!sweep.value) return false
    starting.value = true
    try {
      await api.queue.sweep({ recipe: draft.recipe, sweep: sweep.value })
      error.value = null
      return true
    } catch (thrown) {
      error.value = errorValue(thrown)
      return false
    } finally {
      starting.value = false
    }
  }

  return { on, lines, search, runs, axes, sweep, rounds, total, error, starting, start }
})

/** Null where a line is not finished yet. */
export function toAxis({ field, kind, text }: AxisLine): SweepAxis | null {
  const parts = text.split(',').map(part => part.trim()).filter(Boolean)
  if (!field || parts.length === 0) return null
  if (kind === 'list') return { kind, field, values: parts.map(part => parseNumber(part) ?? (part === 'true' ? true : part === 'false' ? false : part)) }
  const [from, to, count] = parts.map(parseNumber)
  if (from === undefined || to === undefined || count === undefined || parts.length > 3) return null
  return { kind, field, from, to, count }
}
