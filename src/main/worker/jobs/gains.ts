import { encodeGains } from '../../engine/io/gainRecord'
import { headsOf } from '../../engine/model'
import { engramMap, siteVectors } from '../../engine/san/record'
import type { StepState } from '../../engine/step/step'
import { listCheckpoints } from '../../store/checkpoints'
import { gainsDue, rewindGains, saveGains, writeGainMap } from '../../store/gains'
import type { JobFunction } from '../protocol'
import { openSession, type Session } from './session'
import { begin, readState } from './state'

/** Keeps a run's gains over training, for its Engram page. */
export interface GainRecorder {
  /** Goes back to a step, from which the run begins or goes on. */
  rewind(step: number): void
  /** Records a state; unless it `must`, only where the last record is some way behind. */
  record(step: number, state: () => Promise<StepState>, must?: boolean): Promise<void>
}

/** Gains are for looking at: a run does not end for want of them, it only warns, once. */
export function createGainRecorder(runFolder: string, session: Session, warn: (message: string) => void): GainRecorder {
  const map = engramMap(session.tuning)
  let off = !map.sites.some(site => site.gain || site.shift)
  async function attempt(work: () => Promise<void> | void): Promise<void> {
    if (off) return
    try {
      await work()
    } catch (thrown) {
      off = true
      warn(`Gains are not recorded any more: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }
  return {
    rewind: step => void attempt(() => {
      rewindGains(runFolder, step)
      writeGainMap(runFolder, map)
    }),
    record: (step, state, must = false) => attempt(async () => {
      if (must || gainsDue(runFolder, step)) await recordState(runFolder, session, step, await state())
    }),
  }
}

async function recordState(runFolder: string, { tuning, model, opened }: Session, step: number, state: StepState): Promise<void> {
  saveGains(runFolder, step, await encodeGains(await siteVectors(tuning, headsOf(model.shape), state, opened.read)))
}

/** The records of a run that was trained before there were any: of its start and of the checkpoints that are left. */
export const runGains: JobFunction<'gains'> = async ({ runFolder }, ctx) => {
  const session = await openSession(runFolder, ctx)
  const checkpoints = listCheckpoints(runFolder)
  const start = await session.eagerStep()
  try {
    rewindGains(runFolder, Infinity)
    writeGainMap(runFolder, engramMap(session.tuning))
    await begin(start, runFolder, session.tuning)
    await recordState(runFolder, session, 0, await start.state())
    for (const [i, checkpoint] of checkpoints.entries()) {
      ctx.progress('save', i, checkpoints.length, 'Computing gains')
      await recordState(runFolder, session, checkpoint.state.step, await readState(checkpoint, session.tuning))
    }
    return { steps: [0, ...checkpoints.map(({ state }) => state.step)] }
  } finally {
    start.dispose()
    session.model.dispose()
  }
}
