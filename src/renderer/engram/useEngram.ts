import { computed, reactive, ref, shallowRef, watch, type Ref } from 'vue'
import { persisted } from '../lib/persisted'
import { farthest, firstLayers, layerNames, mapRows, neutralOf, type Mode, type Vectors } from './lens'
import { vectorsNear } from './records'
import { byValue, colourEnd } from './stats'
import { useRecords } from './useRecords'

/** Everything the Engram page of a run shows and chooses. */
export function useEngram(run: Ref<string>, saves: Ref<string>) {
  const records = useRecords(run, saves)
  const mode = ref<Mode>('gain')
  const sorted = persisted<boolean>('engram.sorted', false)
  const chosenLayers = ref<string[] | null>(null)
  const otherRun = ref<string | null>(null)
  const other = shallowRef<Vectors | null>(null)
  const lacking = ref(false)
  const focus = ref({ key: '', channel: 0 })

  const map = computed(() => records.report.value?.map ?? null)
  const blocks = computed(() => Math.max(0, ...(map.value?.sites ?? []).filter(site => site.kind === 'linear').map(site => site.block)) + 1)
  const neutral = computed(() => neutralOf(mode.value))
  const names = computed(() => map.value && records.vectors.value ? layerNames(map.value, records.vectors.value, mode.value) : [])
  const layers = computed(() => chosenLayers.value?.filter(name => names.value.includes(name)) ?? (map.value ? firstLayers(map.value, names.value) : []))
  const rowsIn = (from: Vectors | null) => map.value && from ? mapRows(map.value, from, mode.value, layers.value, otherRun.value ? other.value : null) : []
  const rows = computed(() => rowsIn(records.vectors.value))
  const rowsBefore = computed(() => rowsIn(records.before.value))
  // from the last record, so that a colour means the same at every step
  const end = computed(() => colourEnd(rowsIn(records.last.value).map(row => row.values), neutral.value))
  const range = computed(() => neutral.value === 1 ? Math.log(end.value) : end.value)
  // of strips of gains, whatever the map shows
  const gainRange = computed(() => mode.value === 'gain' && !otherRun.value ? range.value : 0.2)
  const focused = computed(() => rows.value.find(row => row.key === focus.value.key) ?? rows.value[0] ?? null)
  const order = computed(() => sorted.value && focused.value ? byValue(focused.value.values) : null)

  /** A row and the channel of it, as near as the row has it. */
  function focusOn(key: string, channel: number): void {
    const row = rows.value.find(one => one.key === key)
    if (row) focus.value = { key, channel: Math.max(0, Math.min(row.values.length - 1, channel)) }
  }

  /** Another mode or step has other rows: the same layer where it is there, else what moved farthest. */
  function keepFocus(): void {
    if (rows.value.some(row => row.key === focus.value.key)) return
    const name = focus.value.key.slice(focus.value.key.indexOf('/') + 1), same = rows.value.find(row => row.site.name === name)
    const far = farthest(rows.value, neutral.value)
    if (same) focusOn(same.key, focus.value.channel)
    else if (far) focusOn(far.key, far.channel)
  }

  watch(rows, keepFocus)
  watch(run, () => { otherRun.value = chosenLayers.value = null })
  watch([otherRun, records.step], async ([id, at]) => {
    const found = id === null ? null : await records.attempt(() => vectorsNear(id, at))
    if (id !== otherRun.value) return
    other.value = found ?? null
    lacking.value = id !== null && !found
  })
  return reactive({ ...records, mode, sorted, chosenLayers, otherRun, focus, map, blocks, neutral, names, layers, rows, rowsBefore, end, range, gainRange, focused, order, lacking, focusOn })
}
export type Engram = ReturnType<typeof useEngram>
