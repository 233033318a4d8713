import type { TrainerOptions } from '../services/index'
import type { Output } from './output'

const EVERY_MS = 2000

/** Tells people on standard error how far a job is; scripts get only its result. */
export function progressTo(out: Output, json: boolean): Pick<TrainerOptions, 'onProgress'> {
  if (json) return {}
  let toldAt = Date.now()
  return {
    onProgress({ message, done, total }) {
      if (Date.now() - toldAt < EVERY_MS) return
      toldAt = Date.now()
      out.remark(done !== null && total !== null ? `${message} ${done}/${total}` : message)
    },
  }
}
