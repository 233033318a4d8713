import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { runColours, type ColourName } from '../theme/tokens'

/** Which runs are chosen, in the order they were chosen; that order is also their colour. */
export const useSelection = defineStore('selection', () => {
  const ids = ref<string[]>([])
  let anchor = ''

  const places = computed(() => new Map(ids.value.map((id, at) => [id, at])))

  const has = (id: string) => places.value.has(id)
  const colourName = (id: string): ColourName | null => { const at = places.value.get(id); return at === undefined ? null : runColours[at % runColours.length] ?? null }
  const colour = (id: string) => { const name = colourName(id); return name && `var(--${name})` }

  /** With an order given, everything between the last chosen run and this one is chosen. */
  function toggle(id: string, order: string[]): void {
    const [from, to] = [order.indexOf(anchor), order.indexOf(id)].sort((a, b) => a - b)
    if (from !== undefined && to !== undefined && from >= 0) {
      const between = order.slice(from, to + 1).filter(one => !has(one))
      ids.value = [...ids.value, ...between]
    } else {
      ids.value = has(id) ? ids.value.filter(one => one !== id) : [...ids.value, id]
    }
    anchor = id
  }

  const chooseAll = (all: string[]) => { ids.value = [...ids.value, ...all.filter(id => !has(id))] }
  const keepOnly = (known: (id: string) => boolean) => { ids.value = ids.value.filter(known) }
  const clear = () => { ids.value = [] }
  return { ids, has, colour, colourName, toggle, chooseAll, keepOnly, clear }
})
