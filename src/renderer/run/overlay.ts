import type { ChartModel } from '../charts/model'

/** Another run's lines below a run's own, under its name. Its raw values, plans and marks stay away: they are read on its own page. */
export function overlaid(own: ChartModel, other: ChartModel, name: string): ChartModel {
  const lines = other.lines.filter(line => !line.faint && line.dash !== 'future').map(line => ({ ...line, area: false, name: `${name}, ${line.name}` }))
  const ends = lines.map(line => line.x[line.length - 1] ?? 0)
  return { ...own, lines: [...lines, ...own.lines], x: { ...own.x, max: Math.max(own.x.max, ...ends) } }
}
