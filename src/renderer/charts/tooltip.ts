import { palettes, type ThemeName } from '../theme/tokens'
import type { ChartLine, ChartModel } from './model'
import { nearestIndex } from './series'

const escape = (text: string) => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)

/** A line that ended before has no value there. */
function isPast({ x: places, length }: ChartLine, x: number): boolean {
  const last = places[length - 1] ?? 0
  return length > 1 && x > last + (last - places[length - 2]!)
}

/** Place first, then every line's value there, largest first. */
export function tooltipHtml(model: ChartModel, x: number, theme: ThemeName): string {
  const rows = model.lines.flatMap(line => {
    const at = line.faint || line.dash === 'future' || isPast(line, x) ? -1 : nearestIndex(line.x, line.length, x)
    const value = line.y[at]
    return value === undefined ? [] : [{ line, value }]
  }).sort((a, b) => b.value - a.value)
  if (rows.length === 0) return ''
  const body = rows.map(({ line, value }) => `<div style="display:flex;gap:8px;align-items:center"><i style="width:8px;height:8px;border-radius:2px;background:${palettes[theme][line.colour]}"></i>${escape(line.name)}<b style="margin-left:auto;font-weight:500">${escape((model.y.say ?? model.y.format)(value))}</b></div>`)
  return `<div style="opacity:.75;font-size:11px;margin-bottom:2px">${escape(model.describe(x))}</div>${body.join('')}`
}
