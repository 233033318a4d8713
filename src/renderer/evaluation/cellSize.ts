import { computed, onScopeDispose, ref, watch, type ShallowRef } from 'vue'

const SCORES = 276 + 16, PADDING = 32 + 4 + 8
const LARGEST = { width: 42, height: 35 }
const SMALLEST = 14
/** Names stand beside the rows and, turned, above the columns; long ones are cut off. */
const LETTER = 6.8, LONGEST_NAME = 144
/** Narrow columns want steeper names, or these would cover each other. */
const TILT = { wide: 38, narrow: 64 }, NARROW = 22

/** Cells as large as names and scores leave room for. */
export function useCellSize(pane: Readonly<ShallowRef<HTMLElement | null>>, classes: () => readonly string[]) {
  const room = ref(900)
  const observer = new ResizeObserver(([entry]) => { room.value = entry?.contentRect.width ?? room.value })
  watch(pane, (now, before) => {
    if (before) observer.unobserve(before)
    if (now) observer.observe(now)
  })
  onScopeDispose(() => observer.disconnect())
  const names = computed(() => Math.min(LONGEST_NAME, Math.ceil(Math.max(3, ...classes().map(name => name.length)) * LETTER)))
  const width = computed(() => Math.max(SMALLEST, Math.min(LARGEST.width, Math.floor((room.value - names.value - SCORES - PADDING) / Math.max(1, classes().length)))))
  const height = computed(() => classes().length <= 12 ? LARGEST.height : classes().length <= 20 ? 26 : 20)
  const tilt = computed(() => width.value < NARROW ? TILT.narrow : TILT.wide)
  const head = computed(() => Math.ceil(18 + names.value * Math.sin(tilt.value * Math.PI / 180)))
  return { width, height, names, head, tilt }
}
