import { AppError } from '../contract/errors'
import type { VerdictReport } from '../contract/evaluation'
import type { CompareReport, RunDetail } from '../contract/run'
import { compareRuns } from './compare'
import type { Deps } from './deps'
import { type Measured, measuredRun, verdicts } from './verdicts'

/** One run in full, or several side by side. */
export function createComparison({ store }: Deps) {
  const detailOf = (run: string): RunDetail => ({ card: store.card(run), manifest: store.manifest(run) })
  return {
    show: ({ run }: { run: string }): RunDetail => detailOf(run),
    compare({ runs }: { runs: string[] }): CompareReport {
      const twice = runs.find((run, i) => runs.indexOf(run) !== i)
      if (twice !== undefined) throw new AppError('bad-input', `Run ${twice} is named twice; name different runs to compare.`)
      return compareRuns(runs.map(detailOf))
    },
    /** Whether differences in accuracy are more than noise, by the predictions that are kept. */
    async verdict({ runs, baseline }: { runs: string[]; baseline: string | null }): Promise<VerdictReport> {
      const all = [...new Set(baseline === null ? runs : [baseline, ...runs])]
      const measured: Measured[] = []
      for (const run of all) measured.push(await measuredRun(detailOf(run)))
      return verdicts(measured, all[0]!)
    },
  }
}
