import { smooth } from '../charts/series'
import type { RunHistory } from '../history/runHistory'
import { metricOf } from '../history/describe'

const recentSteps = 50

/** Seconds until the last step at the pace of the last steps; null before there is one. */
export function timeLeft(history: RunHistory): number | null {
  const { step, elapsed } = history.columns
  const last = step.length - 1
  if (!history.started || last < 1) return null
  const first = Math.max(0, last - recentSteps)
  const perStep = (elapsed.values[last]! - elapsed.values[first]!) / Math.max(1, step.values[last]! - step.values[first]!)
  return perStep * Math.max(0, history.started.steps - step.values[last]!)
}

/** Beyond these no value weighs anything, whatever the smoothing. */
const weighty = 2000

export function lastSmoothed(values: Float64Array, length: number, factor: number): number | undefined {
  const recent = values.subarray(Math.max(0, length - weighty), length)
  return smooth(recent, recent.length, factor).at(-1)
}

/** The best validation accuracy so far and where it was. */
export function bestEvaluation(history: RunHistory): { step: number; accuracy: number; index: number } | null {
  let best: { step: number; accuracy: number; index: number } | null = null
  history.evaluations.forEach((one, index) => {
    const accuracy = one.split === 'validation' ? metricOf(one.metrics, 'validation', 'accuracy') : undefined
    if (accuracy !== undefined && accuracy > (best?.accuracy ?? -1)) best = { step: one.step, accuracy, index }
  })
  return best
}
