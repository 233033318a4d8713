import { basename } from 'node:path'
import type { Metrics } from '../../contract/run'
import type { Predicted } from '../../engine/train/predictions'
import type { PreparedData } from '../../store/data/prepare'
import { writeEvaluation } from '../../store/evaluations'

export interface Kept { step: number; split: 'train' | 'validation' | 'test'; metrics: Metrics; predictions: readonly Predicted[] }

/** Keeps the predictions of a whole split, in its order, with the run. */
export function keepPredictions(runFolder: string, data: PreparedData, { step, split, metrics, predictions }: Kept): string {
  const { name, path, fingerprint: hash, classes } = data
  const head = {
    format: 1 as const, run: basename(runFolder), step, split, data: { name, path, hash }, classes: [...classes],
    samples: predictions.length, metrics, savedAt: Date.now(),
  }
  return writeEvaluation(runFolder, head, predictions.map((one, position) => ({ ...one, file: data[split].files[position]! })))
}
