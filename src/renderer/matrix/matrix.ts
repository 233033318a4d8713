import type { MethodCard } from '@contract/method'
import type { RunCard } from '@contract/run'
import { spreadOf, type Spread } from '../compare/seeds'
import { groupBy } from '../lib/groupBy'
import { bestAccuracy } from '../runs/columns'
import { paperDataset } from './paper'

export interface MethodRow { key: string; type: string; san: boolean; rank: number | null }
/** One recipe under its seeds: of several recipes in a cell, the one that validated best. */
export interface Cell { runs: RunCard[]; validation: Spread | null; test: Spread | null; others: number; paper: number | null; best: boolean }
export interface Matrix { rows: { method: MethodRow; trainable: { least: number; most: number } | null; cells: Cell[] }[]; datasets: string[] }

const rowKey = ({ type, san, rank }: Omit<MethodRow, 'key'>) => [type, san ? 'san' : '', rank ?? ''].filter(part => part !== '').join(' ')
export const methodRow = (type: string, san: boolean, rank: number | null): MethodRow => ({ key: rowKey({ type, san, rank }), type, san, rank })

/** What a cell says: the test where there is one, as papers do; else the validation. */
export const shownOf = (cell: Cell): Spread | null => cell.test ?? cell.validation

/** Every method of the catalog, without and with SAN, and the ranks that runs were made with. */
function methodRows(methods: readonly MethodCard[], runs: readonly RunCard[], rankOf: (run: RunCard) => number | null): MethodRow[] {
  const used = runs.map(run => methodRow(run.method, run.san, rankOf(run)))
  const own = methods.flatMap(({ id, san }) => [false, ...(san.offered ? [true] : [])].map(on => methodRow(id, on, null)))
  const missing = own.filter(row => !used.some(one => one.type === row.type && one.san === row.san))
  const unique = new Map([...used, ...missing].map(row => [row.key, row]))
  const place = ({ type, san, rank }: MethodRow) => (methods.findIndex(one => one.id === type) + 1) * 1e6 + (san ? 5e5 : 0) + (rank ?? 0)
  return [...unique.values()].sort((a, b) => place(a) - place(b))
}

function cellOf(runs: readonly RunCard[], method: MethodRow, dataset: string): Cell {
  const recipes = groupBy(runs, run => run.variant ?? run.id)
  const measured = [...recipes.values()].map(list => ({ runs: list, validation: spreadOf(list.map(bestAccuracy)), test: spreadOf(list.map(run => run.metrics['test/accuracy'])) }))
  const value = ({ validation, test }: { validation: Spread | null; test: Spread | null }) => (validation ?? test)?.mean ?? -1
  const best = measured.sort((a, b) => value(b) - value(a))[0] ?? { runs: [], validation: null, test: null }
  return { ...best, others: Math.max(0, recipes.size - 1), paper: paperDataset(dataset)?.accuracy[method.key] ?? null, best: false }
}

/** Methods down, datasets across, for the finished runs of one backbone. */
export function matrixOf(runs: readonly RunCard[], datasets: readonly string[], methods: readonly MethodCard[], rankOf: (run: RunCard) => number | null): Matrix {
  const rows = methodRows(methods, runs, rankOf).map(method => {
    const own = runs.filter(run => methodRow(run.method, run.san, rankOf(run)).key === method.key)
    const counts = own.map(run => run.trainable)
    const trainable = counts.length > 0 ? { least: Math.min(...counts), most: Math.max(...counts) } : null
    return { method, trainable, cells: datasets.map(dataset => cellOf(own.filter(run => run.data === dataset), method, dataset)) }
  })
  markBest(rows, datasets.length)
  return { rows, datasets: [...datasets] }
}

/** Compared as they are written: two cells of one value are both best. */
function markBest(rows: Matrix['rows'], columns: number): void {
  const written = (cell: Cell) => { const shown = shownOf(cell); return shown ? Number((shown.mean * 100).toFixed(1)) : null }
  for (let column = 0; column < columns; column++) {
    const values = rows.map(row => written(row.cells[column]!)).filter(value => value !== null)
    if (values.length < 2) continue
    const most = Math.max(...values)
    for (const row of rows) if (written(row.cells[column]!) === most) row.cells[column]!.best = true
  }
}

/** The run whose settings a missing cell is made from: the same method elsewhere, else the same data, else the newest of the backbone. */
export function templateOf(runs: readonly RunCard[], method: MethodRow, dataset: string): RunCard | undefined {
  const nearness = (run: RunCard) => (run.data === dataset ? 2 : 0) + (run.method === method.type ? 1 : 0)
  return [...runs].sort((a, b) => nearness(b) - nearness(a) || b.createdAt - a.createdAt)[0]
}
