import type { EngramReport, SiteVector } from '../contract/engram'
import { AppError } from '../contract/errors'
import { readDistances, readGains } from '../engine/io/gainRecord'
import { checkpointSteps } from '../store/checkpoints'
import { fileSource } from '../store/files'
import { gainFile, gainSteps, readGainMap } from '../store/gains'
import { liveRunLock } from '../store/runFolder'
import type { Deps } from './deps'
import type { Lanes } from './lanes'

/** What was recorded of a run's gains, and who scales whom. */
export function createEngram({ store, host }: Deps, lanes: Lanes) {
  const folderOf = (run: string) => {
    store.manifest(run)
    return store.folder(run)
  }

  async function show({ run }: { run: string }): Promise<EngramReport> {
    const folder = folderOf(run)
    const records = await Promise.all(gainSteps(folder).map(async step => ({ step, distances: await readDistances(fileSource(gainFile(folder, step))).catch(() => null) })))
    return {
      map: readGainMap(folder), checkpoints: checkpointSteps(folder),
      records: records.flatMap(({ step, distances }) => distances ? [{ step, distances }] : []),
    }
  }

  return {
    show,
    async record({ run, step }: { run: string; step: number }): Promise<SiteVector[]> {
      const folder = folderOf(run)
      if (!gainSteps(folder).includes(step)) throw new AppError('not-found', `Run ${run} has no record of gains at step ${step}; long runs keep sixty, evenly spread.`)
      return readGains(fileSource(gainFile(folder, step)))
    },
    /** For runs trained before gains were recorded. */
    async compute({ run }: { run: string }): Promise<EngramReport> {
      const runFolder = folderOf(run)
      if (liveRunLock(runFolder)) throw new AppError('run-busy', `Run ${run} is being trained; it records its gains at the next evaluation.`)
      await host.start({ kind: 'gains', input: { runFolder } }, { environment: await lanes.forSmall() })
      return show({ run })
    },
  }
}
