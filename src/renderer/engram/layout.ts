import type { MapRow } from './lens'

/** A row in its place. The rows of the focused block are taller and carry their names. */
export interface PlacedRow extends MapRow { y: number; height: number; inFocus: boolean }
export interface PlacedBlock { block: number; label: string; y: number; height: number; inFocus: boolean }
export interface Layout { rows: PlacedRow[]; blocks: PlacedBlock[]; height: number }

const GAP = 3
const [LEAST, MOST, FOCUSED] = [3, 40, 19]

/** What stands outside the blocks is named by where it is. */
export const blockLabel = (block: number, blocks: number): string => block < 0 ? 'in' : block >= blocks ? 'out' : String(block)

/** Rows by block, as tall as fits: focused ones at least tall enough for their names. */
export function layoutOf(rows: readonly MapRow[], focusBlock: number, blocks: number, room: number): Layout {
  const numbers = [...new Set(rows.map(row => row.site.block))]
  const tall = rows.filter(row => row.site.block === focusBlock).length
  const free = room - GAP * Math.max(0, numbers.length - 1), even = Math.floor(free / Math.max(1, rows.length))
  // with room enough all rows are as tall as the focused ones
  const low = even >= FOCUSED ? Math.min(MOST, even) : Math.max(LEAST, Math.floor((free - tall * FOCUSED) / Math.max(1, rows.length - tall)))
  const layout: Layout = { rows: [], blocks: [], height: 0 }
  for (const block of numbers) {
    const inFocus = block === focusBlock, members = rows.filter(row => row.site.block === block), each = inFocus ? Math.max(FOCUSED, low) : low
    members.forEach((row, i) => layout.rows.push({ ...row, y: layout.height + i * each, height: each, inFocus }))
    layout.blocks.push({ block, label: blockLabel(block, blocks), y: layout.height, height: each * members.length, inFocus })
    layout.height += each * members.length + GAP
  }
  layout.height = Math.max(0, layout.height - GAP)
  return layout
}

/** Columns of the map and pixels of each: one channel of the narrowest layers a column, where there is room. */
export function columnsOf(rows: readonly MapRow[], room: number): { columns: number; pixels: number; base: number } {
  const base = Math.min(...rows.map(row => row.values.length))
  if (!Number.isFinite(base) || room < 1) return { columns: 0, pixels: 1, base: 0 }
  const columns = Math.min(base, room)
  const exact = room / columns
  return { columns, pixels: exact < 4 ? exact : Math.floor(exact), base }
}

/** What a column hides, in words; empty where every channel is seen. */
export function hiddenNote(rows: readonly MapRow[], columns: number, neutral: number): string {
  const wide = [...new Map(rows.filter(row => row.values.length > columns).map(row => [row.label, row.values.length]))]
  if (wide.length === 0 || columns === 0) return ''
  const names = wide.map(([label]) => label), widths = new Set(wide.map(([, width]) => width))
  const many = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)} have` : `${names[0]} has`
  const each = widths.size === 1 ? Math.ceil([...widths][0]! / columns) : 0
  const amount = widths.size === 1 ? `${[...widths][0]!.toLocaleString('en-US')} channels` : 'more channels than columns'
  return `${many} ${amount}: each column shows the one of ${each ? wordOf(each) : 'several'} farthest from ${neutral}`
}

const wordOf = (n: number): string => ['', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'][n] ?? String(n)
