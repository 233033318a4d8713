import { difference } from './check.mjs'
import { flopsPerImage } from './flops.mjs'
import { backbones, modes } from './grid.mjs'

/** The figures of a cell: { ms, peakBytes, compileSeconds }, or { problem } where it has none. */
export function figuresOf({ cells }, row, method, modeId) {
  const cell = cells[`${row} ${method} ${modeId}`]
  if (!cell) return { problem: 'not measured' }
  if (cell.status !== 'measured') return { problem: `${cell.status}: ${cell.problem}` }
  const differs = difference(cells, cell, modes.find(({ id }) => id === modeId).precision)
  if (differs) return { problem: `differs: ${differs}` }
  const ms = stepTime(cell.steps) / backbones[row].batch
  return {
    ms,
    peakBytes: cell.peakBytes,
    compileSeconds: cell.compileSeconds,
    ...(cell.firstEpoch ? { firstEpochMs: stepTime(cell.firstEpoch) / backbones[row].batch } : {}),
  }
}

/** The median; of steps too short for a clock of milliseconds, the mean. */
function stepTime(steps) {
  const sorted = [...steps].sort((a, b) => a - b)
  const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
  return middle < 20 ? Math.max(0.01, steps.reduce((sum, ms) => sum + ms, 0) / steps.length) : middle
}

/** The best of several modes in a row, or null where none has figures. */
export function fastest(results, row, method, modeIds) {
  const times = modeIds.map((id) => figuresOf(results, row, method, id).ms).filter((ms) => ms !== undefined)
  return times.length > 0 ? Math.min(...times) : null
}

/** How many times faster than `base` a mode is, or null. */
export function speedup(results, row, method, modeId, base) {
  const { ms } = figuresOf(results, row, method, modeId)
  return ms === undefined || base === null || base === undefined ? null : base / ms
}

/** The share of the machine's own matrix rate (the better library's) that a mode reaches, or null. */
export function matrixShare(results, row, method, modeId) {
  const { ms } = figuresOf(results, row, method, modeId)
  const mode = modes.find(({ id }) => id === modeId)
  const rate = results.matrixRate && Math.max(results.matrixRate.torch[mode.precision], results.matrixRate.tensorflow[mode.precision])
  return ms === undefined || !rate ? null : flopsPerImage(row, method) / (ms * 1e6) / rate
}
