import type { RunCard } from '@contract/run'
import type { ChartLine, ChartModel } from '../charts/model'
import { smooth } from '../charts/series'
import { metricOf } from '../history/describe'
import type { RunHistory } from '../history/runHistory'
import { exponent, hundred, middle, three } from '../lib/format'
import type { ColourName } from '../theme/tokens'

/** A run in a comparison: its card, its colour, and its events where they were asked for. */
export interface Compared { run: RunCard; colour: ColourName; history?: RunHistory }
type Line = Pick<ChartLine, 'x' | 'y' | 'length'> & { label: string }

const nameOf = ({ run }: Compared) => middle(run.name || run.id, 32)

function model(all: readonly Compared[], lineOf: (one: Compared) => Line | null, y: ChartModel['y']): ChartModel {
  const lines = all.flatMap((one): ChartLine[] => {
    const line = lineOf(one)
    return line && line.length > 0 ? [{ name: nameOf(one), colour: one.colour, width: 1.6, x: line.x, y: line.y, length: line.length, ...(line.label ? { endLabel: line.label } : {}) }] : []
  })
  const last = Math.max(1, ...all.map(({ run }) => run.epochs))
  return { lines, x: { min: 0, max: last, format: value => String(Number(value.toFixed(2))), whole: true }, y, describe: x => `epoch ${x.toFixed(1)}` }
}

/** From the sparklines, for the tray: points evenly over the epochs that are done. */
export function sparklineModel(all: readonly Compared[]): ChartModel {
  return model(all, ({ run }) => {
    const values = run.accuracies ?? []
    const done = run.epochs * (run.steps > 0 ? run.step / run.steps : 1)
    return { x: values.map((_, i) => (i + 1) / values.length * done), y: values, length: values.length, label: hundred(values.at(-1)) }
  }, { format: value => (value * 100).toFixed(0), say: hundred, ceiling: 1, focus: true })
}

function evaluations({ history }: Compared, metric: 'accuracy' | 'loss', write: (value: number) => string): Line | null {
  const points = (history?.evaluations ?? []).flatMap(one => {
    const value = one.split === 'validation' ? metricOf(one.metrics, 'validation', metric) : undefined
    return value === undefined ? [] : [{ x: one.epoch, y: value }]
  })
  const last = points.at(-1)
  return last ? { x: points.map(point => point.x), y: points.map(point => point.y), length: points.length, label: write(last.y) } : null
}

export const accuracyCurves = (all: readonly Compared[]): ChartModel =>
  model(all, one => evaluations(one, 'accuracy', hundred), { format: value => String(Number((value * 100).toFixed(1))), say: hundred, ceiling: 1, focus: true })

export const validationLossCurves = (all: readonly Compared[]): ChartModel =>
  model(all, one => evaluations(one, 'loss', three), { log: true, format: String, say: three })

export const trainLossCurves = (all: readonly Compared[], smoothing: number): ChartModel => model(all, ({ history }) => {
  const column = history?.columns.loss
  if (!history || !column) return null
  const y = smooth(column.values, column.length, smoothing)
  return { x: history.columns.epoch.values, y, length: column.length, label: three(y[column.length - 1]) }
}, { log: true, format: String, say: three })

export const learningRateCurves = (all: readonly Compared[]): ChartModel => model(all, ({ history }) => {
  const column = history?.columns.learningRate
  return history && column ? { x: history.columns.epoch.values, y: column.values, length: column.length, label: '' } : null
}, { fromZero: true, format: value => exponent(value) })
