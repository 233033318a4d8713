import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../contract/errors'
import type { JobProgress } from '../contract/progress'
import type { TrialReport } from '../contract/trial'
import { laneHolder } from '../store/laneLock'
import { createRunFolder } from '../store/runFolder'
import type { Deps } from './deps'
import { freeze } from './freeze'
import { createJobs } from './jobs'
import type { Lanes } from './lanes'
import type { Planning } from './planning'

const ABOUT = 'trial'

/** Two steps of a recipe, on a run that is gone afterwards. */
export function createTrial({ host, workspace, version }: Deps, planning: Planning, lanes: Lanes) {
  const jobs = createJobs()
  return {
    async run(draft: Record<string, unknown>): Promise<TrialReport> {
      if (jobs.isUnderWay(ABOUT)) throw new AppError('run-busy', 'Two steps are being tried already; wait for them, or cancel them.')
      return jobs.follow(ABOUT, async followed => {
        const lane = await lanes.forTraining()
        const holder = laneHolder(lane.lock)
        if (holder) throw new AppError('run-busy', `${holder.run} has the device; two steps beside it would measure neither. Try again when it is done.`)
        const prepared = await planning.prepare(draft, [process.cwd()])
        const folder = mkdtempSync(join(tmpdir(), 'engram-trial-'))
        try {
          const { folder: runFolder } = createRunFolder(folder, await freeze(prepared, version))
          return await host.start({ kind: 'trial', input: { runFolder, workspace: workspace.root, cache: join(folder, 'cache') } }, { ...followed, lane })
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      })
    },
    cancel: (): void => jobs.cancel(ABOUT),
    progress: (_: void, emit: (events: JobProgress[]) => void): (() => void) => jobs.progress(ABOUT, emit),
  }
}
