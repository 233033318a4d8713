import type { RunAccuracy } from '@contract/evaluation'

/** The split that every run was measured on, so that their accuracies stand on one axis; null where one lacks it. */
export function commonSplit(runs: readonly string[], measured: readonly RunAccuracy[]): RunAccuracy['split'] | null {
  const split = measured[0]?.split
  return split !== undefined && runs.every(run => measured.some(one => one.run === run && one.split === split)) ? split : null
}
