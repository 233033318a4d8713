import type { RunCard } from '@contract/run'

export interface Column {
  id: string
  head: string
  number: boolean
  /** What the index sorts by; a column without cannot be sorted. */
  field?: string
  /** Words begin at their start, numbers at their largest. */
  words?: boolean
  width: number
  /** Its share of the width that is left; none for columns of fixed width. */
  grow?: number
  /** Narrow windows leave out the columns with the highest first. */
  leave?: number
}

export const bestAccuracy = (run: RunCard): number | undefined =>
  run.best?.metric.endsWith('accuracy') ? run.best.value : run.metrics['validation/accuracy']

/** Every column of the Runs table, in order; the name is always there. */
export const columns: readonly Column[] = [
  { id: 'name', head: 'Name', number: false, field: 'name', words: true, width: 180, grow: 2 },
  { id: 'status', head: 'Status', number: false, field: 'status', words: true, width: 116, grow: 0.5 },
  { id: 'method', head: 'Method', number: false, field: 'method', words: true, width: 104, grow: 1 },
  { id: 'backbone', head: 'Backbone', number: false, field: 'backbone', words: true, width: 104, grow: 1, leave: 8 },
  { id: 'data', head: 'Dataset', number: false, field: 'data', words: true, width: 104, grow: 1, leave: 5 },
  { id: 'tags', head: 'Tags', number: false, field: 'tags', words: true, width: 120, grow: 1, leave: 4 },
  { id: 'seed', head: 'Seed', number: true, field: 'seed', width: 54, leave: 6 },
  { id: 'trainable', head: 'Trainable', number: true, field: 'trainable', width: 84, leave: 1 },
  { id: 'best', head: 'Best val %', number: true, field: 'best', width: 104 },
  { id: 'last', head: 'Last', number: true, field: 'last', width: 54 },
  { id: 'test', head: 'Test', number: true, field: 'test', width: 54 },
  { id: 'lastLoss', head: 'Last loss', number: true, field: 'loss', width: 76, leave: 3 },
  { id: 'curve', head: 'Val accuracy', number: false, width: 100, leave: 2 },
  { id: 'loss', head: 'Loss', number: false, field: 'loss', width: 82, leave: 7 },
  { id: 'time', head: 'Time', number: false, field: 'seconds', width: 126, grow: 0.5 },
  { id: 'speed', head: 'Images/s', number: true, width: 76, leave: 4 },
  { id: 'peak', head: 'Peak GB', number: true, field: 'peakMemory', width: 70, leave: 9 },
  { id: 'started', head: 'Started', number: false, field: 'createdAt', width: 92, leave: 7 },
]
export const defaultColumns = ['name', 'status', 'method', 'backbone', 'trainable', 'best', 'last', 'test', 'curve', 'loss', 'time', 'peak', 'started']

/** The chosen columns that a width has room for. */
export function fittingColumns(chosen: readonly string[], width: number): Column[] {
  let fitting = columns.filter(column => column.id === 'name' || chosen.includes(column.id))
  const needed = () => fitting.reduce((sum, column) => sum + column.width, 0)
  while (needed() > width) {
    const first = fitting.filter(column => column.leave).sort((a, b) => b.leave! - a.leave!)[0]
    if (!first) break
    fitting = fitting.filter(column => column !== first)
  }
  return fitting
}

export const gridTracks = (shown: readonly Column[]): string =>
  shown.map(({ width, grow }) => grow ? `minmax(${width}px, ${grow}fr)` : `${width}px`).join(' ')
