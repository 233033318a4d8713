import type { Evaluation, PairVerdict, SamplePrediction } from './evaluation'
import { mcnemar, pairSentence, SIGNIFICANT } from './statistics'

/** As much of an evaluation as a comparison needs. */
export type Judged = Omit<Evaluation, 'predictions'> & { predictions: readonly Pick<SamplePrediction, 'file' | 'label' | 'top'>[] }

export const isRight = ({ label, top }: Pick<SamplePrediction, 'label' | 'top'>): boolean => label === top[0]

/** Whether two evaluations looked at the same images. */
export const sameImages = (a: Pick<Evaluation, 'split' | 'data'>, b: Pick<Evaluation, 'split' | 'data'>): boolean =>
  a.split === b.split && (a.data.hash === b.data.hash || a.data.path === b.data.path)

/** For each image that both saw under the same class: 1 where only the run was right, -1 where only the baseline was. */
export function differencesOf(run: Judged, baseline: Judged): Map<string, number> {
  const differences = new Map<string, number>()
  if (!sameImages(run, baseline)) return differences
  const before = new Map(baseline.predictions.map(one => [one.file, one]))
  for (const one of run.predictions) {
    const other = before.get(one.file)
    if (!other || run.classes[one.label] !== baseline.classes[other.label]) continue
    differences.set(one.file, Number(isRight(one)) - Number(isRight(other)))
  }
  return differences
}

/** A run against a baseline, image by image; null where the two share none. */
export function pairVerdict(run: Judged, baseline: Judged, nameOf: (run: string) => string): PairVerdict | null {
  const differences = differencesOf(run, baseline)
  if (differences.size === 0) return null
  let onlyRun = 0, onlyBaseline = 0
  for (const difference of differences.values()) {
    if (difference > 0) onlyRun++
    else if (difference < 0) onlyBaseline++
  }
  const facts = { run: run.run, baseline: baseline.run, difference: (onlyRun - onlyBaseline) / differences.size, onlyRun, onlyBaseline, p: mcnemar(onlyRun, onlyBaseline) }
  const sentence = pairSentence({ ...facts, run: nameOf(run.run), baseline: nameOf(baseline.run) })
  return { ...facts, samples: differences.size, clear: facts.p < SIGNIFICANT, sentence }
}
