import { AppError } from '../contract/errors'

/** A number of places; whoever finds none free waits in line. */
export interface Slots { enter(signal?: AbortSignal): Promise<() => void> }

export function createSlots(count: number): Slots {
  let free = count
  const line: (() => void)[] = []
  const leave = () => {
    free++
    line.shift()?.()
  }
  return {
    async enter(signal) {
      while (free === 0) await turnInLine(line, signal)
      free--
      return leave
    },
  }
}

function turnInLine(line: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const quit = () => {
      line.splice(line.indexOf(called), 1)
      reject(new AppError('cancelled', 'Stopped before it began.'))
    }
    const called = () => {
      signal?.removeEventListener('abort', quit)
      resolve()
    }
    if (signal?.aborted) return reject(new AppError('cancelled', 'Stopped before it began.'))
    signal?.addEventListener('abort', quit, { once: true })
    line.push(called)
  })
}
