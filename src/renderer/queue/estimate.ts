import type { RunCard } from '@contract/run'

type Kind = Pick<RunCard, 'backbone' | 'data' | 'method' | 'san' | 'epochs' | 'step' | 'steps'>
export interface Estimate { seconds: number; /** how many runs it is taken from */ from: number }

/** How long a waiting run may take: the median pace of finished runs on the same data and backbone, of the same method where there are any. */
export function estimate(run: Kind, runs: readonly RunCard[]): Estimate | null {
  const alike = runs.filter(one => one.status === 'finished' && one.epochs > 0 && one.seconds > 0 && one.backbone === run.backbone && one.data === run.data)
  const same = alike.filter(one => one.method === run.method && one.san === run.san)
  const from = same.length > 0 ? same : alike
  if (from.length === 0) return null
  const rest = run.steps > 0 ? 1 - run.step / run.steps : 1
  return { seconds: median(from.map(one => one.seconds / one.epochs)) * run.epochs * rest, from: from.length }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
