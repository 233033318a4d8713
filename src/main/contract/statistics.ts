import type { Interval } from './evaluation'

/** Two-sided 95 % of the normal distribution. */
const Z = 1.959963984540054
const TAIL = 0.025
const ROUNDS = 1000
/** Below this a difference is called more than noise. */
export const SIGNIFICANT = 0.05

/** Wilson's 95 % interval of a share: `right` of `of`. */
export function wilson(right: number, of: number): Interval {
  if (of === 0) return { low: 0, high: 1 }
  const share = right / of, z2 = Z * Z / of
  const centre = share + z2 / 2, half = Z * Math.sqrt(share * (1 - share) / of + z2 / (4 * of))
  return { low: Math.max(0, (centre - half) / (1 + z2)), high: Math.min(1, (centre + half) / (1 + z2)) }
}

/** McNemar's exact test: p of a split at least this uneven of the samples that only one of two got right (two-sided binomial). */
export function mcnemar(onlyA: number, onlyB: number): number {
  const total = onlyA + onlyB, fewer = Math.min(onlyA, onlyB)
  let term = -total * Math.LN2, sum = Math.exp(term)
  for (let k = 1; k <= fewer; k++) {
    term += Math.log((total - k + 1) / k)
    sum += Math.exp(term)
  }
  return Math.min(1, 2 * sum)
}

/**
 * Mean and 95 % interval of paired differences [seeds][samples], by drawing seeds and samples anew, with replacement: both which
 * seeds were run and which images were tested are chance. `draw` gives a whole number in [0, below); `breathe` lets others in meanwhile.
 */
export async function pairedBootstrap(differences: readonly (readonly number[])[], draw: (below: number) => number, breathe: () => Promise<void> | undefined): Promise<{ mean: number; interval: Interval }> {
  const seeds = differences.length, samples = differences[0]!.length
  const meanOver = (seedOf: () => number, sampleOf: (k: number) => number): number => {
    const rows = differences.map(() => differences[seedOf()]!)
    let sum = 0
    for (let k = 0; k < samples; k++) {
      const sample = sampleOf(k)
      for (const row of rows) sum += row[sample]!
    }
    return sum / (seeds * samples)
  }
  let next = 0
  const mean = meanOver(() => next++, k => k)
  const means: number[] = []
  while (means.length < ROUNDS) {
    means.push(meanOver(() => draw(seeds), () => draw(samples)))
    await breathe()
  }
  means.sort((a, b) => a - b)
  return { mean, interval: { low: quantile(means, TAIL), high: quantile(means, 1 - TAIL) } }
}

/** Linear between neighbours, as NumPy does. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1), below = Math.floor(at)
  const low = sorted[below]!, high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (at - below)
}

export interface PairFacts { run: string; baseline: string; difference: number; onlyRun: number; onlyBaseline: number; p: number }

export function pairSentence({ run, baseline, difference, onlyRun, onlyBaseline, p }: PairFacts): string {
  const test = `McNemar ${pText(p)}, ${samplesText(onlyRun)} against ${samplesText(onlyBaseline)} samples`
  if (onlyRun === onlyBaseline) return `${run} is as accurate as ${baseline} (${test}).`
  return `${run} is ${betterText(difference)} than ${baseline}, ${noiseText(p < SIGNIFICANT)} (${test}).`
}

export interface SeedFacts { run: string; baseline: string; seeds: number; difference: number; interval: Interval }

export function seedSentence({ run, baseline, seeds, difference, interval }: SeedFacts): string {
  const [low, high] = [interval.low, interval.high].map(pointsText)
  return `${run} is ${betterText(difference)} than ${baseline} over ${seeds} seeds, ${noiseText(excludesZero(interval))} (paired bootstrap, 95 % interval ${low} to ${high} points).`
}

export const excludesZero = ({ low, high }: Interval): boolean => low > 0 || high < 0
export const pText = (p: number): string => p < 0.001 ? 'p < 0.001' : `p = ${Number(p.toPrecision(2))}`
const noiseText = (clear: boolean) => clear ? 'more than noise' : 'within noise'
const samplesText = (count: number) => count.toLocaleString('en-US')
const betterText = (difference: number) => `${(100 * Math.abs(difference)).toFixed(1)} points ${difference < 0 ? 'worse' : 'better'}`
const pointsText = (share: number) => `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(1)}`
