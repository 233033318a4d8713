import { computed, onScopeDispose, ref, watch, type ShallowRef } from 'vue'
import { useMediaQuery } from '../lib/mediaQuery'

const SCORES = 276 + 16, PADDING = 32 + 4 + 8
const LARGEST = { low: { width: 52, height: 35 }, tall: { width: 78, height: 60 } }
/** Row heights of up to so many classes. */
const HEIGHTS = [{ classes: 12, low: LARGEST.low.height, tall: LARGEST.tall.height }, { classes: 20, low: 26, tall: 40 }, { classes: Infinity, low: 20, tall: 24 }] as const
const SMALLEST = 14
/** Names stand beside the rows and, turned, above the columns; long ones are cut off. */
const LETTER = 6.8, LONGEST_NAME = 144
/** Names that fit stand upright; narrow columns want steeper ones, or these would cover each other. */
const TILT = { wide: 38, narrow: 64 }, NARROW = 22

/** Cells as large as names and scores leave room for. */
export function useCellSize(pane: Readonly<ShallowRef<HTMLElement | null>>, classes: () => readonly string[]) {
  const room = ref(900)
  const tall = useMediaQuery('(min-height: 1200px)')
  const screen = computed(() => tall.value ? 'tall' : 'low')
  const observer = new ResizeObserver(([entry]) => { room.value = entry?.contentRect.width ?? room.value })
  watch(pane, (now, before) => {
    if (before) observer.unobserve(before)
    if (now) observer.observe(now)
  })
  onScopeDispose(() => observer.disconnect())
  const names = computed(() => Math.min(LONGEST_NAME, Math.ceil(Math.max(3, ...classes().map(name => name.length)) * LETTER)))
  const width = computed(() => Math.max(SMALLEST, Math.min(LARGEST[screen.value].width, Math.floor((room.value - names.value - SCORES - PADDING) / Math.max(1, classes().length)))))
  const height = computed(() => HEIGHTS.find(one => classes().length <= one.classes)![screen.value])
  const tilt = computed(() => names.value < width.value ? 0 : width.value < NARROW ? TILT.narrow : TILT.wide)
  const head = computed(() => Math.ceil(18 + names.value * Math.sin(tilt.value * Math.PI / 180)))
  return { width, height, names, head, tilt }
}
