import { sayShare } from '../compare/seeds'
import { csvLine } from '../lib/download'
import { missing } from '../lib/format'
import { picturePng } from '../lib/picture'
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

/** The table as an image. */
export function matrixPng({ rows, datasets }: Matrix, nameOf: NameOf, parameters: (row: Matrix['rows'][number]) => string): Promise<Blob> {
  const [rowHeight, first, second, column] = [28, 190, 110, 130]
  const [width, height] = [first + second + column * datasets.length + 16, rowHeight * (rows.length + 1) + 8]
  return picturePng(width, height, ({ context, colour, write }) => {
    const at = (line: number) => line * rowHeight + 19
    write('Method', 16, at(0), { ink: 'text-3' })
    write('Parameters', first + second, at(0), { align: 'right', ink: 'text-3' })
    datasets.forEach((name, i) => write(name, first + second + column * (i + 1), at(0), { align: 'right', ink: 'text-3' }))
    rows.forEach((row, line) => {
      context.fillStyle = colour('line')
      context.fillRect(0, (line + 1) * rowHeight, width, 1)
      write(nameOf(row.method), 16, at(line + 1), { weight: 500 })
      write(parameters(row), first + second, at(line + 1), { align: 'right', ink: 'text-2' })
      row.cells.forEach((cell, i) => write(shownOf(cell) ? sayShare(shownOf(cell)) : missing, first + second + column * (i + 1), at(line + 1), { align: 'right', weight: cell.best ? 600 : 400, ink: shownOf(cell) ? 'text-1' : 'text-3' }))
    })
  })
}
