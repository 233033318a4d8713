import type { RunCard } from '@contract/run'

export type GroupBy = 'none' | 'backbone' | 'data' | 'method'
export interface Column { id: string; head: string; number: boolean; sort?: (run: RunCard) => number | string }
export interface Sorting { column: string; down: boolean }
export type Row = { kind: 'run'; key: string; run: RunCard; best: boolean } | { kind: 'group'; key: string; title: string; runs: number; best: number | null }

export const bestAccuracy = (run: RunCard): number | undefined =>
  run.best?.metric.endsWith('accuracy') ? run.best.value : run.metrics['validation/accuracy']

/** Columns of the Runs table; the ids are also the classes that narrow windows hide. */
export const columns: readonly Column[] = [
  { id: 'name', head: 'Name', number: false, sort: run => run.name || run.id },
  { id: 'status', head: 'Status', number: false, sort: run => run.status },
  { id: 'method', head: 'Method', number: false, sort: run => `${run.method}${run.san}` },
  { id: 'backbone', head: 'Backbone', number: false, sort: run => run.backbone },
  { id: 'trainable', head: 'Trainable', number: true, sort: run => run.trainable },
  { id: 'best', head: 'Best val %', number: true, sort: run => bestAccuracy(run) ?? -1 },
  { id: 'last', head: 'Last', number: true, sort: run => run.metrics['validation/accuracy'] ?? -1 },
  { id: 'test', head: 'Test', number: true, sort: run => run.metrics['test/accuracy'] ?? -1 },
  { id: 'curve', head: 'Val accuracy', number: false },
  { id: 'loss', head: 'Loss', number: false, sort: run => run.metrics['train/loss'] ?? Infinity },
  { id: 'time', head: 'Time', number: false, sort: run => run.seconds },
  { id: 'peak', head: 'Peak GB', number: true, sort: run => run.peakMemory },
  { id: 'started', head: 'Started', number: false, sort: run => run.createdAt },
]

export function matches(run: RunCard, words: string): boolean {
  const text = [run.name, run.id, run.backbone, run.data, run.method, run.san ? 'san' : '', run.status].join(' ').toLowerCase()
  return words.toLowerCase().split(/\s+/).every(word => text.includes(word))
}

function sorted(runs: RunCard[], { column, down }: Sorting): RunCard[] {
  const by = columns.find(one => one.id === column)?.sort ?? (run => run.createdAt)
  const order = (a: RunCard, b: RunCard) => { const [x, y] = [by(a), by(b)]; return x < y ? -1 : x > y ? 1 : a.createdAt - b.createdAt }
  return [...runs].sort((a, b) => down ? order(b, a) : order(a, b))
}

const bestOf = (runs: RunCard[]) => runs.reduce<number | null>((best, run) => Math.max(best ?? -1, bestAccuracy(run) ?? -1), null)

/** Runs in order, with a head row before each group and the best of a group marked. */
export function toRows(runs: RunCard[], sorting: Sorting, groupBy: GroupBy): Row[] {
  const groups = new Map<string, RunCard[]>()
  for (const run of sorted(runs, sorting)) {
    const key = groupBy === 'none' ? '' : run[groupBy]
    groups.set(key, [...groups.get(key) ?? [], run])
  }
  return [...groups].flatMap(([title, members]): Row[] => {
    const best = bestOf(members)
    const rows: Row[] = members.map(run => ({ kind: 'run', key: run.id, run, best: members.length > 1 && best !== null && best >= 0 && bestAccuracy(run) === best }))
    return groupBy === 'none' ? rows : [{ kind: 'group', key: `group ${title}`, title, runs: members.length, best: best !== null && best >= 0 ? best : null }, ...rows]
  })
}
