import { RunQuery, type RunMatches } from '@contract/runQuery'
import { expect, test } from 'vitest'
import { seedGroups, sayShare, spreadOf } from '../../src/renderer/compare/seeds'
import { csvLine } from '../../src/renderer/lib/download'
import { columns, defaultColumns, fittingColumns } from '../../src/renderer/runs/columns'
import { csvOf } from '../../src/renderer/runs/csv'
import { cardGroups, groupKey, toRows } from '../../src/renderer/runs/rows'
import { standingViews } from '../../src/renderer/runs/view'
import { cards } from './fakeRuns'

const runs = cards()
const [a, b, c] = runs as [typeof runs[0], typeof runs[0], typeof runs[0]]
const matches: RunMatches = { total: 4, groups: [{ value: 'x', runs: [a.id, b.id, 'gone'], best: a.best!.value }, { value: null, runs: [c.id], best: c.best!.value }] }

test('rows stand in the order that the index found, with the best of a group marked and gone runs left out', () => {
  const groups = cardGroups(matches.groups, new Map(runs.map(run => [run.id, run])))
  expect(toRows(groups, false, new Set()).map(row => row.key)).toEqual([a.id, b.id, c.id])
  const rows = toRows(groups, true, new Set([groupKey(null)]))
  expect(rows.map(row => row.kind)).toEqual(['group', 'run', 'run', 'group'])
  expect(rows[0]).toMatchObject({ runs: 2, best: a.best!.value, folded: false })
  expect(rows.map(row => row.kind === 'run' && row.best)).toEqual([false, true, false, false])
})

test('narrow tables leave columns out, but never the name, the status or the best value', () => {
  const shown = (width: number) => fittingColumns(defaultColumns, width).map(column => column.id)
  expect(shown(2000)).toEqual(defaultColumns)
  expect(shown(960)).not.toContain('peak')
  expect(shown(300)).toEqual(expect.arrayContaining(['name', 'status', 'best']))
  expect(fittingColumns([], 2000).map(column => column.id)).toEqual(['name'])
  for (const id of defaultColumns) expect(columns.some(column => column.id === id)).toBe(true)
})

test('every standing view is a query that main takes', () => {
  for (const view of standingViews) expect(RunQuery.parse(view.query)).toEqual(view.query)
})

test('mean and sample deviation over seeds', () => {
  expect(spreadOf([])).toBeNull()
  expect(spreadOf([undefined, 0.5])).toEqual({ mean: 0.5, deviation: 0, count: 1 })
  const three = spreadOf([0.9, 0.92, 0.94])!
  expect(three.mean).toBeCloseTo(0.92)
  expect(three.deviation).toBeCloseTo(0.02)
  expect([sayShare(three), sayShare(spreadOf([0.5])), sayShare(null)]).toEqual(['92.0 ± 2.0', '50.0', '–'])
})

test('only runs that differ by the seed alone are taken together', () => {
  const report = { runs: [a, b, c], shared: [], differences: [{ field: 'seed', values: [0, 1, 2] }, { field: 'method.type', values: ['ssf', 'ssf', 'lora'] }] }
  expect(seedGroups(report).map(group => group.runs.map(run => run.id))).toEqual([[a.id, b.id]])
  expect(seedGroups({ ...report, differences: [{ field: 'train.epochs', values: [1, 2, 3] }] })).toEqual([])
})

test('a CSV file quotes what needs it, and holds every metric', () => {
  expect(csvLine(['a,b', 'say "x"', 1.5, null, undefined, '=1+1', 'plain'])).toBe(`"a,b","say ""x""",1.5,,,'=1+1,plain`)
  const lines = csvOf([a, b]).trimEnd().split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/^run,name,status,.*validation\/accuracy,validation\/loss$/)
  expect(lines[1]!.split(',')[0]).toBe(a.id)
})
