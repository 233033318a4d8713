import { metricOf } from '../history/describe'
import type { Evaluation } from '../history/runHistory'

/** Validation accuracy measured at a checkpoint's step, if it was. */
export const metricAtStep = (evaluations: readonly Evaluation[], step: number): number | undefined => {
  const at = evaluations.findLast(one => one.step === step && one.split === 'validation')
  return at && metricOf(at.metrics, 'validation', 'accuracy')
}
