import type { ChartLine, ChartModel } from '../charts/model'

/** Another run's lines below a run's own, under its name. Its raw values, plans and marks stay away: they are read on its own page. */
export function overlaid(own: ChartModel, other: ChartModel, name: string): ChartModel {
  const lines = other.lines.filter(line => !line.faint && !isPlanned(line)).map(line => ({ ...line, area: false, name: `${name}, ${line.name}` }))
  const ownEnd = endOf(own.lines.filter(line => !isPlanned(line)))
  return { ...own, lines: [...lines, ...own.lines], x: { ...own.x, max: Math.max(own.x.max, endOf(lines)) }, describe: x => (x > ownEnd ? other : own).describe(x) }
}

const isPlanned = ({ dash }: ChartLine): boolean => dash === 'future'
const endOf = (lines: readonly ChartLine[]): number => Math.max(0, ...lines.map(line => line.x[line.length - 1] ?? 0))
