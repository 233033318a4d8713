import type { EChartsCoreOption } from 'echarts/core'
import { palettes, shape, type Palette, type ThemeName } from '../theme/tokens'
import type { ChartLine, ChartModel, Zoom } from './model'
import { visiblePoints } from './series'
import { linearTicks, logRange, logTicks, niceRange } from './ticks'

/** `points`: x, y, x, y, and so on. */
interface Drawn { line: ChartLine; points: Float64Array }
/** Above is room for a label that stands on the highest line. */
const plotInset = { top: 14, bottom: 24 }
const labelDistance = 12
const pixelsPerColumn = 2
const dashes = { validation: [5, 3], test: [1, 3], future: [2, 3] }

/** A chart model as an echarts option for a plot of the given width. */
export function chartOption(model: ChartModel, theme: ThemeName, width: number, height: number, zoom: Zoom | null): { option: EChartsCoreOption; lowest: number } {
  const colours = palettes[theme]
  const view = zoom ?? model.x
  const drawn = model.lines.map(line => ({ line, points: pointsOf(line, model, view, width) }))
  const [yMin, yMax] = yRange(drawn, model)
  const labelsInside = (view.max - labelsAt(drawn)) / (view.max - view.min) > 0.16
  const option = {
    animation: false,
    grid: { left: 44, right: labelsInside || !drawn.some(one => one.line.endLabel) ? 18 : 74, ...plotInset, outerBoundsMode: 'none' },
    xAxis: { type: 'value', min: view.min, max: view.max, ...axisLook(colours), axisLine: { show: true, onZero: false, lineStyle: { color: colours['chart-axis'] } }, splitLine: { show: false }, ...ticks(linearTicks(view.min, view.max, model.x.whole), model.x.format, colours), axisTick: { show: true, length: 3, lineStyle: { color: colours['chart-axis'] }, customValues: linearTicks(view.min, view.max, model.x.whole) } },
    yAxis: [
      { type: 'value', min: yMin, max: yMax, ...axisLook(colours), ...yTicks(model, yMin, yMax, colours) },
      ...model.marks?.length ? [{ type: 'value', min: 0, max: 1, show: false }] : [],
    ],
    tooltip: { trigger: 'axis', confine: true, transitionDuration: 0, axisPointer: { type: 'line', snap: true, lineStyle: { color: colours['text-3'], width: 1, type: 'solid' }, label: { show: false } } },
    series: [background(model, colours, view, yMin), ...drawn.map((one, i) => lineSeries(one, i, colours)), ...bestSeries(model, view, colours), ...noteSeries(model, colours), labelSeries(drawn, colours, yMin, yMax, height), ...markSeries(model, colours)],
  }
  return { option, lowest: yMin }
}

function pointsOf(line: ChartLine, model: ChartModel, view: Zoom, width: number): Float64Array {
  const points = visiblePoints(line.x, line.y, line.length, view.min, view.max, Math.max(50, Math.round(width / pixelsPerColumn)))
  return model.y.log ? logarithms(points) : points
}

/** In place; what has no logarithm is left out. */
function logarithms(points: Float64Array): Float64Array {
  let size = 0
  for (let i = 0; i < points.length; i += 2) {
    if (!(points[i + 1]! > 0)) continue
    points[size++] = points[i]!
    points[size++] = Math.log10(points[i + 1]!)
  }
  return points.subarray(0, size)
}

function valuesOf(drawn: readonly Drawn[]): number[] {
  const values: number[] = []
  for (const { points } of drawn) for (let i = 1; i < points.length; i += 2) if (Number.isFinite(points[i])) values.push(points[i]!)
  return values
}

function yRange(drawn: Drawn[], model: ChartModel): [number, number] {
  const values = valuesOf(drawn)
  if (model.limit) values.push(model.limit.y)
  if (values.length === 0) return model.y.log ? [-2, 0] : [0, 1]
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value) }
  if (model.y.focus) low = quantile(values, focusShare)
  if (model.y.log) return logRange(10 ** low, 10 ** high)
  const [from, to] = niceRange(low, high, model.y.fromZero ?? false)
  return [from, model.y.ceiling === undefined ? to : Math.min(to, Math.max(model.y.ceiling, high))]
}

const focusShare = 0.05
const quantile = (values: number[], share: number) => Float64Array.from(values).sort()[Math.floor(values.length * share)] ?? 0

const axisLook = (colours: Palette) => ({
  axisLine: { show: false }, axisTick: { show: false },
  splitLine: { show: true, lineStyle: { color: colours['chart-grid'], width: 1 } },
})

function ticks(values: number[], format: (value: number) => string, colours: Palette) {
  return { axisLabel: { customValues: values, formatter: format, color: colours['text-3'], fontSize: 10.5, margin: 7, hideOverlap: true, fontFamily: shape['font-ui'] } }
}

function yTicks(model: ChartModel, min: number, max: number, colours: Palette) {
  const empty = model.lines.every(line => line.length === 0)
  const values = empty ? [] : model.y.log ? logTicks(min, max) : linearTicks(min, max, false)
  const format = (value: number) => model.y.format(model.y.log ? Number((10 ** value).toPrecision(6)) : value)
  return { axisTick: { show: false, customValues: values }, ...ticks(values, format, colours) }
}

/** What has not happened yet, where the run is now, and the device's limit; below every line. */
function background(model: ChartModel, colours: Palette, view: Zoom, yMin: number) {
  const rules: object[] = []
  if (model.now !== undefined && model.now < view.max) rules.push({ xAxis: model.now, lineStyle: { color: colours['st-running'], type: 'solid', width: 1 }, label: { show: false } })
  if (model.limit) rules.push({ yAxis: model.limit.y, lineStyle: { color: colours['text-3'], type: [4, 3], width: 1 }, label: { show: true, position: 'insideEndBottom', distance: 5, formatter: model.limit.text, color: colours['text-3'], fontSize: 10.5, fontFamily: shape['font-ui'] } })
  return {
    id: 'background', type: 'line', data: [[view.min, yMin]], silent: true, symbol: 'none', lineStyle: { width: 0 }, z: 1,
    markArea: { silent: true, itemStyle: { color: colours['bg-sunken'] }, data: model.now === undefined || model.now >= view.max ? [] : [[{ xAxis: Math.max(view.min, model.now) }, { xAxis: view.max }]] },
    markLine: { silent: true, symbol: 'none', animation: false, data: rules },
  }
}

function lineSeries({ line, points }: Drawn, index: number, colours: Palette) {
  const colour = colours[line.colour]
  return {
    id: `line-${index}`, name: line.name, type: 'line', dimensions: ['x', 'y'], data: points, symbol: points.length === 2 ? 'circle' : 'none', showSymbol: points.length === 2, symbolSize: 4, z: line.faint ? 2 : 3, silent: true,
    itemStyle: { color: colour }, emphasis: { disabled: true },
    lineStyle: { color: colour, width: line.width, opacity: line.faint ? Number(colours['chart-raw-opacity']) : 1, type: line.dash ? dashes[line.dash] : 'solid', join: 'round', cap: 'butt' },
    areaStyle: line.area ? { color: colour, opacity: 0.1, origin: 'start' } : undefined,
  }
}

/** Places in ascending order at least a distance apart, as near to where they want to be as that allows. */
export function pushApart(wanted: number[], distance: number): number[] {
  const placed = [...wanted]
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!)
  for (let k = 1; k < order.length; k++) {
    const [above, below] = [order[k - 1]!, order[k]!]
    const lack = distance - (placed[below]! - placed[above]!)
    if (lack <= 0) continue
    placed[below]! += lack / (k === 1 ? 2 : 1)
    if (k === 1) placed[above]! -= lack / 2
  }
  return placed
}

const labelled = (drawn: Drawn[]) => drawn.filter(one => one.line.endLabel && one.points.length > 0)
const labelsAt = (drawn: Drawn[]) => Math.max(...labelled(drawn).map(one => one.points.at(-2)!))

/** Last values stand right of the newest point of all lines, in their line's colour, pushed apart. */
function labelSeries(drawn: Drawn[], colours: Palette, yMin: number, yMax: number, height: number) {
  const named = labelled(drawn)
  const x = labelsAt(drawn)
  const plotHeight = Math.max(1, height - plotInset.top - plotInset.bottom)
  const heights = named.map(({ points }) => (yMax - points.at(-1)!) / (yMax - yMin || 1) * plotHeight)
  const wanted = named.map(({ line }, i) => heights[i]! - (line.labelLift ?? 0))
  const placed = pushApart(wanted, labelDistance)
  return {
    id: 'labels', type: 'scatter', symbolSize: 0, silent: true, z: 6, clip: false, itemStyle: { opacity: 1 },
    data: named.map(({ line, points }, i) => ({
      value: [x, points.at(-1)!],
      label: { show: true, position: 'right', distance: 6, formatter: line.endLabel, color: colours[line.colour], fontSize: 10.5, fontWeight: 500, padding: [1, 0], lineHeight: 11, offset: [0, placed[i]! - heights[i]!], fontFamily: shape['font-ui'] },
    })),
  }
}

function bestSeries(model: ChartModel, view: Zoom, colours: Palette) {
  if (!model.best) return []
  const { x, y, text } = model.best
  const roomForText = (x - view.min) / (view.max - view.min) > 0.3
  return [{
    id: 'best', type: 'scatter', data: [[x, y]], symbolSize: 7, z: 5, silent: true, itemStyle: { opacity: 1, color: colours.accent, borderColor: colours['bg-surface'], borderWidth: 1.5 },
    markLine: { silent: true, symbol: 'none', data: [[{ coord: [model.x.min, y] }, { coord: [x, y] }]], lineStyle: { color: colours.accent, type: [2, 3], width: 1 }, label: { show: roomForText, formatter: text, position: 'insideStartTop', color: colours.accent, fontSize: 10.5, fontWeight: 500, fontFamily: shape['font-ui'], backgroundColor: colours['bg-surface'], padding: [1, 3] } },
  }]
}

function noteSeries(model: ChartModel, colours: Palette) {
  return (model.notes ?? []).map((note, i) => ({
    id: `note-${i}`, type: 'scatter', data: [[note.x, note.y]], symbol: 'triangle', symbolRotate: 180, symbolSize: 7, z: 5, silent: true, itemStyle: { color: colours.warn },
    label: { show: true, formatter: note.text, position: 'right', color: colours.warn, fontSize: 10.5, fontFamily: shape['font-ui'] },
  }))
}

/** Checkpoints as diamonds on the x axis with a dotted rule; the best one filled. */
function markSeries(model: ChartModel, colours: Palette) {
  const marks = model.marks ?? []
  return marks.length === 0 ? [] : [{
    id: 'marks', type: 'scatter', yAxisIndex: 1, clip: false, symbol: 'diamond', symbolSize: 10, z: 6, silent: true,
    data: marks.map(mark => ({ value: [mark.x, 0], itemStyle: { opacity: 1, color: mark.best ? colours.accent : colours['bg-surface'], borderColor: mark.best ? colours.accent : colours['text-2'], borderWidth: 1.2 } })),
    markLine: { silent: true, symbol: 'none', label: { show: false }, data: marks.map(mark => ({ xAxis: mark.x, lineStyle: { color: colours['text-3'], type: [1, 3], width: 1, opacity: mark.best ? 1 : 0.55 } })) },
  }]
}
