import type { Recipe } from '@contract/recipe'
import type { ChartLine, ChartModel } from '../charts/model'
import { nearestIndex, smooth } from '../charts/series'
import { metricOf } from '../history/describe'
import type { ColumnName, RunHistory } from '../history/runHistory'
import { bytes, count, duration, exponent, hundred, three } from '../lib/format'
import type { ColourName } from '../theme/tokens'
import { learningRateAt } from './schedule'

export type Axis = 'step' | 'epoch' | 'elapsed'
/** What the charts of a run are drawn from, besides the events. */
export interface Scene { history: RunHistory; colour: ColourName; axis: Axis; smoothing: number; running: boolean; left: number | null; memoryTotal: number; recipe: Recipe | null; learningRate: number; checkpoints: readonly { step: number; best: boolean }[] }

const formats: Record<Axis, (value: number) => string> = { step: count, epoch: value => String(Number(value.toFixed(2))), elapsed: duration }
const xOf = ({ history, axis }: Scene) => history.columns[axis]

function frame(scene: Scene): Pick<ChartModel, 'x' | 'describe' | 'marks'> & { now?: number } {
  const { history, axis, left, checkpoints } = scene
  const last = xOf(scene).last ?? 0
  const ends = { step: history.started?.steps ?? 0, epoch: history.started?.epochs ?? 0, elapsed: last + (left ?? 0) }
  const max = shownEnd(last, Math.max(ends[axis], last, axis === 'epoch' ? 0.1 : 1), scene.running)
  const marks = checkpoints.map(one => ({ x: xAt(scene, one.step), best: one.best }))
  return {
    x: { min: 0, max, format: formats[axis], whole: axis === 'step' }, marks, describe: x => describe(scene, x),
    ...(history.stepCount > 0 && last < max ? { now: last } : {}),
  }
}

const leastShare = 1 / 4

/** Where the axis ends: at the last planned step while the run goes on, but near enough that what has happened can be read; after it, where it ended. */
export function shownEnd(last: number, planned: number, running: boolean): number {
  if (last <= 0) return planned
  if (!running) return last
  let end = planned
  while (last / end < leastShare) end /= 2
  return end
}

/** A step's place on the chosen axis. */
function xAt(scene: Scene, step: number): number {
  const { step: steps } = scene.history.columns
  return xOf(scene).values[Math.max(0, nearestIndex(steps.values, steps.length, step))] ?? step
}

function describe(scene: Scene, x: number): string {
  const { columns, stepCount } = scene.history
  const at = nearestIndex(xOf(scene).values, stepCount, x)
  if (at < 0) return ''
  return `step ${count(columns.step.values[at]!)}, epoch ${columns.epoch.values[at]!.toFixed(1)}, ${duration(columns.elapsed.values[at]!)}`
}

function trained(scene: Scene, name: ColumnName, title: string, options: { smoothed: boolean; endLabel?: (value: number) => string; area?: boolean; labelLift?: number }): ChartLine[] {
  const column = scene.history.columns[name]
  const base = { name: title, x: xOf(scene).values, length: column.length, colour: scene.colour }
  const y = options.smoothed ? smooth(column.values, column.length, scene.smoothing) : column.values
  const last = y[column.length - 1]
  const label = last !== undefined && options.endLabel ? { endLabel: options.endLabel(last) } : {}
  const line: ChartLine = { ...base, y, width: options.smoothed ? 1.8 : 1.5, ...(options.area ? { area: true } : {}), ...(options.labelLift ? { labelLift: options.labelLift } : {}), ...label }
  return options.smoothed ? [{ ...base, y: column.values, width: 1, faint: true }, line] : [line]
}

function evaluated(scene: Scene, metric: 'loss' | 'accuracy', write: (value: number) => string): ChartLine[] {
  const points = scene.history.evaluations.flatMap(one => {
    const value = one.split === 'validation' ? metricOf(one.metrics, 'validation', metric) : undefined
    return value === undefined ? [] : [{ x: one[scene.axis], y: value }]
  })
  const last = points.at(-1)
  return last ? [{ name: 'validation', x: points.map(point => point.x), y: points.map(point => point.y), length: points.length, colour: scene.colour, width: 1.6, dash: 'validation', endLabel: write(last.y) }] : []
}

export function lossModel(scene: Scene): ChartModel {
  return {
    ...frame(scene), y: { log: true, format: String, say: three },
    lines: [...trained(scene, 'loss', 'train', { smoothed: true, endLabel: value => `${three(value)} train` }), ...evaluated(scene, 'loss', value => `${three(value)} val`)],
  }
}

export function accuracyModel(scene: Scene, best: { step: number; accuracy: number } | null): ChartModel {
  return {
    ...frame(scene), y: { ceiling: 1, focus: true, format: value => String(Number((value * 100).toFixed(1))), say: hundred },
    lines: [...trained(scene, 'accuracy', 'train', { smoothed: true, endLabel: value => `${hundred(value)} train` }), ...evaluated(scene, 'accuracy', value => `${hundred(value)} val`)],
    ...(best ? { best: { x: xAt(scene, best.step), y: best.accuracy, text: `best ${hundred(best.accuracy)} at ${count(best.step)}` } } : {}),
  }
}

export function learningRateModel(scene: Scene): ChartModel {
  const { history, recipe, axis } = scene
  const line = trained(scene, 'learningRate', 'learning rate', { smoothed: false, endLabel: value => exponent(value), labelLift: 7 })
  const future = recipe && scene.running && history.started && axis !== 'elapsed' ? futureRates(scene, recipe) : []
  return { ...unmarked(scene), y: { fromZero: true, format: value => exponent(value) }, lines: [...line, ...future] }
}

function futureRates(scene: Scene, recipe: Recipe): ChartLine[] {
  const { history, axis } = scene
  const started = history.started
  const from = history.step
  if (!started || from >= started.steps) return []
  const every = Math.max(1, Math.floor((started.steps - from) / 80))
  const steps: number[] = []
  for (let step = from; step < started.steps; step += every) steps.push(step)
  steps.push(started.steps)
  const x = axis === 'step' ? steps : steps.map(step => step / started.stepsPerEpoch)
  return [{ name: 'planned', x, y: steps.map(step => learningRateAt(step, recipe.train, scene.learningRate, started)), length: steps.length, colour: 'text-3', width: 1.2, dash: 'future' }]
}

const unmarked = (scene: Scene) => ({ ...frame(scene), marks: [] })

export function throughputModel(scene: Scene): ChartModel {
  return { ...unmarked(scene), y: { fromZero: true, format: count }, lines: trained(scene, 'imagesPerSecond', 'images/s', { smoothed: false, endLabel: value => count(Math.round(value)) }) }
}

export function gradientModel(scene: Scene): ChartModel {
  const spike = findSpike(scene)
  return {
    ...unmarked(scene), y: { fromZero: true, format: value => String(Number(value.toPrecision(3))) },
    lines: trained(scene, 'gradientNorm', 'gradient norm', { smoothed: true, endLabel: value => value.toFixed(value < 10 ? 2 : 1) }),
    ...(spike ? { notes: [spike] } : {}),
  }
}

const spikeFactor = 5
const warmSteps = 30

function findSpike(scene: Scene): { x: number; y: number; text: string } | null {
  const { gradientNorm, step } = scene.history.columns
  const mean = smooth(gradientNorm.values, gradientNorm.length, 0.95)
  let found = -1
  let ratio = spikeFactor
  for (let i = warmSteps; i < gradientNorm.length; i++) {
    const now = gradientNorm.values[i]! / mean[i - 1]!
    if (now > ratio) { ratio = now; found = i }
  }
  return found < 0 ? null : { x: xOf(scene).values[found]!, y: gradientNorm.values[found]!, text: `spike at ${count(step.values[found]!)}` }
}

export function memoryModel(scene: Scene): ChartModel {
  const total = scene.memoryTotal
  return {
    ...unmarked(scene), y: { fromZero: true, format: value => String(Number((value / 1e9).toFixed(2))) },
    lines: trained(scene, 'memory', 'memory', { smoothed: false, area: true, endLabel: value => (value / 1e9).toFixed(value < 1e9 ? 2 : 1) }),
    ...(total > 0 ? { limit: { y: total, text: `${bytes(total)} on the device` } } : {}),
  }
}
