import type { TrainerOptions } from '../services/index'
import type { Output } from './output'

const EVERY_MS = 2000

/** Tells people at a terminal how far a job is; scripts get only its result, or the one line of its error. */
export function progressTo(out: Output): Pick<TrainerOptions, 'onProgress'> {
  if (!out.watched) return {}
  let toldAt = Date.now()
  return {
    onProgress({ message, done, total }) {
      if (Date.now() - toldAt < EVERY_MS) return
      toldAt = Date.now()
      out.remark(done !== null && total !== null ? `${message} ${done}/${total}` : message)
    },
  }
}

/** Says whom a job waits for; on standard error, so that scripts are not disturbed. */
export const waitingTo = (out: Output): NonNullable<TrainerOptions['onWait']> => ({ run, pid }) =>
  out.remark(`Waiting: run ${run} has the device now (process ${pid}); this begins when that one ends. Ctrl-C gives up.`)
