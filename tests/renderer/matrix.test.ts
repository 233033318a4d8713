import type { MethodCard } from '@contract/method'
import type { RunCard } from '@contract/run'
import { expect, test } from 'vitest'
import { matrixCsv, matrixLatex } from '../../src/renderer/matrix/exports'
import { matrixOf, templateOf, type MethodRow } from '../../src/renderer/matrix/matrix'
import { paperDataset } from '../../src/renderer/matrix/paper'
import { cards } from './fakeRuns'

const base = cards()[1]!
const methods = [{ id: 'ssf', title: 'SSF', san: { offered: true, why: '' } }, { id: 'full', title: 'Full', san: { offered: false, why: '' } }] as MethodCard[]
let made = 0
const run = (variant: string, validation: number, test: number | null, more: Partial<RunCard> = {}): RunCard =>
  ({ ...base, id: `run-${made++}`, method: 'ssf', san: false, data: 'cifar100', variant, trainable: 100, best: { metric: 'validation/accuracy', value: validation, step: 1 }, metrics: test === null ? {} : { 'test/accuracy': test }, ...more })
const noRank = () => null
const nameOf = ({ type, san }: MethodRow) => `${san ? 'SAN + ' : ''}${type}`

test('a cell holds the seeds of the recipe that validated best, whatever its test says', () => {
  const runs = [run('a', 0.9, 0.8), run('a', 0.92, 0.82), run('b', 0.7, 0.99), run('c', 0.95, null, { san: true })]
  const { rows } = matrixOf(runs, ['cifar100', 'other'], methods, noRank)
  expect(rows.map(row => row.method.key)).toEqual(['ssf', 'ssf san', 'full'])
  const [cell, empty] = rows[0]!.cells
  expect(cell).toMatchObject({ others: 1, paper: 94, runs: [{ variant: 'a' }, { variant: 'a' }] })
  expect(cell!.test!.mean).toBeCloseTo(0.81)
  expect(empty).toMatchObject({ runs: [], test: null, paper: null, best: false })
  expect(rows.map(row => row.cells[0]!.best)).toEqual([false, true, false])
})

test('ranks have rows of their own; parameters are a range', () => {
  const runs = [run('a', 0.9, null, { trainable: 100 }), run('b', 0.8, null, { data: 'other', trainable: 300 })]
  const { rows } = matrixOf(runs, ['cifar100', 'other'], methods, one => one.id === runs[0]!.id ? 8 : 16)
  expect(rows.map(row => row.method.key)).toEqual(['ssf 8', 'ssf 16', 'ssf san', 'full'])
  expect(rows[0]!.trainable).toEqual({ least: 100, most: 100 })
})

test('the paper\'s datasets are known by their whole name only', () => {
  expect(paperDataset('/data/CIFAR100.zip')?.accuracy['ssf san']).toBe(94.2)
  expect(paperDataset('vtab-eurosat')?.accuracy).toEqual({ ssf: 95.9, 'ssf san': 97.7 })
  for (const other of ['eurosat', 'my-cifar100-subset', 'digits', '']) expect(paperDataset(other)).toBeUndefined()
})

test('a missing cell starts from the nearest run', () => {
  const same = run('a', 0.9, null, { method: 'full', createdAt: 1 })
  const elsewhere = run('b', 0.9, null, { data: 'other', createdAt: 2 })
  expect(templateOf([elsewhere, same], { key: 'ssf', type: 'ssf', san: false, rank: null }, 'cifar100')).toBe(same)
  expect(templateOf([elsewhere, same], { key: 'ssf', type: 'ssf', san: false, rank: null }, 'third')).toBe(elsewhere)
})

test('tables for a spreadsheet and for a paper', () => {
  const matrix = matrixOf([run('a', 0.9, 0.9, { data: 'a_b' }), run('a', 0.9, 0.92, { data: 'a_b' }), run('c', 0.5, 0.5, { data: 'a_b', method: 'full' })], ['a_b'], methods, noRank)
  expect(matrixCsv(matrix, nameOf).split('\r\n')[1]).toBe('ssf,100,100,91,1.414,2,')
  const latex = matrixLatex(matrix, nameOf, () => '1,000')
  expect(latex).toContain('a\\_b')
  expect(latex).toContain('ssf & 1,000 & \\textbf{91.0 $\\pm$ 1.4} \\\\')
  expect(latex).toContain('full & 1,000 & 50.0 \\\\')
})
