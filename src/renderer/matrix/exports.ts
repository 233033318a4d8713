import { sayShare } from '../compare/seeds'
import { csvLine } from '../lib/download'
import { missing } from '../lib/format'
import { shownOf, type Cell, type Matrix, type MethodRow } from './matrix'

export type NameOf = (method: MethodRow) => string

/** Numbers as numbers, for a spreadsheet: mean, deviation, seeds and the paper's number of each dataset. */
export function matrixCsv({ rows, datasets }: Matrix, nameOf: NameOf): string {
  const head = ['method', 'trainable least', 'trainable most', ...datasets.flatMap(name => [`${name} %`, `${name} deviation`, `${name} seeds`, `${name} paper %`])]
  const cells = (cell: Cell) => {
    const shown = shownOf(cell)
    return [shown ? Number((shown.mean * 100).toFixed(3)) : null, shown && shown.count > 1 ? Number((shown.deviation * 100).toFixed(3)) : null, shown?.count ?? 0, cell.paper]
  }
  const lines = rows.map(row => csvLine([nameOf(row.method), row.trainable?.least, row.trainable?.most, ...row.cells.flatMap(cells)]))
  return `${[csvLine(head), ...lines].join('\r\n')}\r\n`
}

const special: Record<string, string> = { '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}' }
const tex = (text: string) => text.replace(/[\\~^]|[&%$#_{}]/g, one => special[one] ?? `\\${one}`).replaceAll('±', '$\\pm$').replaceAll('–', '--')

/** A table for a paper (booktabs); the best of a column is bold. */
export function matrixLatex({ rows, datasets }: Matrix, nameOf: NameOf, parameters: (row: Matrix['rows'][number]) => string): string {
  const cellText = (cell: Cell) => { const text = tex(sayShare(shownOf(cell))); return cell.best ? `\\textbf{${text}}` : text }
  const lines = rows.map(row => `${[tex(nameOf(row.method)), tex(parameters(row)), ...row.cells.map(cellText)].join(' & ')} \\\\`)
  return [
    `\\begin{tabular}{l${'r'.repeat(datasets.length + 1)}}`, '\\toprule', `${['Method', 'Parameters', ...datasets.map(tex)].join(' & ')} \\\\`, '\\midrule', ...lines, '\\bottomrule', '\\end{tabular}', '',
  ].join('\n')
}

/** The table as an image at twice its size, in the colours of the window. */
export async function matrixPng({ rows, datasets }: Matrix, nameOf: NameOf, parameters: (row: Matrix['rows'][number]) => string): Promise<Blob> {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const [rowHeight, first, second, column, scale] = [28, 190, 110, 130, 2]
  const canvas = document.createElement('canvas')
  const [width, height] = [first + second + column * datasets.length + 16, rowHeight * (rows.length + 1) + 8]
  Object.assign(canvas, { width: width * scale, height: height * scale })
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('This window cannot draw an image.')
  pen.scale(scale, scale)
  pen.fillStyle = colour('bg-surface')
  pen.fillRect(0, 0, width, height)
  const write = (text: string, right: number, line: number, look: { weight?: number; ink?: string; left?: boolean }) => {
    pen.font = `${look.weight ?? 400} 13px ${style.getPropertyValue('--font-ui')}`
    pen.fillStyle = colour(look.ink ?? 'text-1')
    pen.textAlign = look.left ? 'left' : 'right'
    pen.fillText(text, right, line * rowHeight + 19)
  }
  write('Method', 16, 0, { left: true, ink: 'text-3' })
  write('Parameters', first + second, 0, { ink: 'text-3' })
  datasets.forEach((name, at) => write(name, first + second + column * (at + 1), 0, { ink: 'text-3' }))
  rows.forEach((row, line) => {
    pen.fillStyle = colour('line')
    pen.fillRect(0, (line + 1) * rowHeight, width, 1)
    write(nameOf(row.method), 16, line + 1, { left: true, weight: 500 })
    write(parameters(row), first + second, line + 1, { ink: 'text-2' })
    row.cells.forEach((cell, at) => write(shownOf(cell) ? sayShare(shownOf(cell)) : missing, first + second + column * (at + 1), line + 1, { weight: cell.best ? 600 : 400, ink: shownOf(cell) ? 'text-1' : 'text-3' }))
  })
  return new Promise((resolve, reject) => canvas.toBlob(blob => { if (blob) resolve(blob); else reject(new Error('The image could not be made.')) }, 'image/png'))
}
