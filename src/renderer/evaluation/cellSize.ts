import { computed, onScopeDispose, ref, watch, type ShallowRef } from 'vue'

const NAMES = 136 + 8, SCORES = 276 + 16, PADDING = 32 + 4
const LARGEST = { width: 42, height: 35 }
const SMALLEST = 14

/** Cells as large as names and scores leave room for. */
export function useCellSize(pane: Readonly<ShallowRef<HTMLElement | null>>, classes: () => number) {
  const room = ref(900)
  const observer = new ResizeObserver(([entry]) => { room.value = entry?.contentRect.width ?? room.value })
  watch(pane, (now, before) => {
    if (before) observer.unobserve(before)
    if (now) observer.observe(now)
  })
  onScopeDispose(() => observer.disconnect())
  const width = computed(() => Math.max(SMALLEST, Math.min(LARGEST.width, Math.floor((room.value - NAMES - SCORES - PADDING) / Math.max(1, classes())))))
  const height = computed(() => classes() <= 12 ? LARGEST.height : classes() <= 20 ? 26 : 20)
  return { width, height }
}
