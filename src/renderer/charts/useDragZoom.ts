import { ref } from 'vue'
import type { EChartsType } from './echarts'
import type { Zoom } from './model'

const clickPixels = 5

/** Dragging across a chart chooses a range of its x axis. */
export function useDragZoom(chart: () => EChartsType | undefined, choose: (zoom: Zoom) => void) {
  const band = ref<{ left: number; width: number } | null>(null)

  function start(event: PointerEvent): void {
    const area = event.currentTarget as HTMLElement
    if (event.button !== 0) return
    const left = area.getBoundingClientRect().left
    const from = event.clientX - left
    const stop = new AbortController()
    const drag = (move: PointerEvent) => {
      const to = Math.min(area.clientWidth - 14, Math.max(44, move.clientX - left))
      band.value = Math.abs(to - from) > clickPixels ? { left: Math.min(from, to), width: Math.abs(to - from) } : null
    }
    const drop = () => {
      stop.abort()
      const range = band.value
      band.value = null
      if (range) choose({ min: valueAt(range.left), max: valueAt(range.left + range.width) })
    }
    window.addEventListener('pointermove', drag, { signal: stop.signal })
    window.addEventListener('pointerup', drop, { signal: stop.signal })
  }

  const valueAt = (pixel: number) => Number(chart()?.convertFromPixel({ xAxisIndex: 0 }, pixel) ?? 0)
  return { band, start }
}
