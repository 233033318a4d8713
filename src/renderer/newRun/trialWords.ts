import type { TrialReport } from '@contract/trial'
import { bytes, count, duration, three } from '../lib/format'

/** What two steps say, and what the whole run would take at the pace of the last of them. */
export function trialWords({ steps, peakMemory, prepareSeconds }: TrialReport, total: number | null): { measured: string; expected: string } {
  const [first, last] = [steps[0]!, steps.at(-1)!]
  const loss = steps.length > 1 ? `loss ${three(first.loss)}, then ${three(last.loss)}` : `loss ${three(first.loss)}`
  const measured = `${pace(last.seconds)} a step, ${loss}, peak ${bytes(peakMemory)}`
  return { measured, expected: `Ready after ${pace(prepareSeconds)}${total === null ? '' : `; ${count(total)} steps take about ${duration(last.seconds * total)}`}` }
}

const pace = (seconds: number): string => seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds)
