import { picturePng } from '../lib/picture'
import type { ThemeName } from '../theme/tokens'
import { stopsOf } from './colours'
import { columnsOf, hiddenNote, layoutOf } from './layout'
import { legendWords } from './legendWords'
import { paintRows } from './paintRows'
import { shownChannels } from './stats'
import type { Engram } from './useEngram'

const [left, top, across, legend, margin] = [92, 70, 768, 66, 16]
const [rowHeight, leastHeight, readable] = [11, 320, 9]

/** The map that is shown, all rows alike and named, with its legend. */
export function mapPicture(view: Engram, theme: ThemeName, title: string, subtitle: string): Promise<Blob> {
  const { columns, base } = columnsOf(view.rows, across)
  const layout = layoutOf(view.rows, NaN, view.blocks, Math.max(leastHeight, view.rows.length * rowHeight))
  const shown = view.rows.map(row => shownChannels(row.values, columns, view.neutral, view.order?.length === row.values.length ? view.order : null))
  const height = top + layout.height + legend
  return picturePng(left + across + margin, height, ({ context, colour, write }) => {
    write(title, margin, 26, { size: 15, weight: 600 })
    write(subtitle, margin, 44, { size: 12, ink: 'text-2' })
    const bitmap = document.createElement('canvas')
    Object.assign(bitmap, { width: columns, height: layout.height })
    bitmap.getContext('2d')?.putImageData(paintRows(layout, shown, columns, view, theme), 0, 0)
    context.imageSmoothingEnabled = false
    context.drawImage(bitmap, left, top, across, layout.height)
    write('0', left, top - 6, { size: 10.5, ink: 'text-3' })
    write(`channel ${base - 1}`, left + across, top - 6, { size: 10.5, ink: 'text-3', align: 'right' })
    for (const block of layout.blocks) write(block.label, margin, block.y + top + block.height / 2 + 4, { size: 11.5, ink: 'text-2' })
    for (const row of layout.rows) if (row.height >= readable) write(row.label, left - 6, row.y + top + row.height / 2 + 3, { size: 9, ink: 'text-3', align: 'right', mono: true })
    const words = legendWords(view.mode, view.end, view.otherRun !== null), y = height - 40, width = 180, from = left + 110
    const scale = context.createLinearGradient(from, 0, from + width, 0), stops = stopsOf(view.mode === 'shift' ? 'amount' : 'gain')
    stops.forEach((name, i) => scale.addColorStop(i / (stops.length - 1), colour(name)))
    context.fillStyle = scale
    context.fillRect(from, y - 9, width, 9)
    write(words.low, from - 8, y, { size: 11, ink: 'text-2', align: 'right' })
    write(words.high, from + width + 8, y, { size: 11, ink: 'text-2' })
    words.ticks.forEach((tick, i) => write(tick, from + i / (words.ticks.length - 1) * width, y + 14, { size: 10, ink: 'text-3', align: 'center' }))
    write(hiddenNote(view.rows, columns, view.neutral), left + across, height - 12, { size: 10.5, ink: 'text-3', align: 'right' })
  })
}
