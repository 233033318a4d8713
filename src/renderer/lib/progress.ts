import type { RunCard } from '@contract/run'

/** Seconds that the rest of a run takes at its pace so far; null before there is a pace. */
export function secondsLeft(run: Pick<RunCard, 'step' | 'steps' | 'seconds' | 'status'>): number | null {
  if (run.status !== 'running' || run.step < 1 || run.seconds <= 0) return null
  return run.seconds / run.step * (run.steps - run.step)
}

export const share = (run: Pick<RunCard, 'step' | 'steps'>) => run.steps > 0 ? Math.min(1, run.step / run.steps) : 0
