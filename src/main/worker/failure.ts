import { readFileSync } from 'node:fs'
import { AppError, type ErrorValue, toErrorValue } from '../contract/errors'
import type { TrainEvent } from '../contract/run'
import { readEvents } from '../store/eventLog'
import { foldEvents, noFacts } from '../store/foldRun'

const MEMORY_WORDS = /OOM when allocating|resource.?exhausted|out of memory|bad_alloc|Array buffer allocation failed|Allocation failed/i
const AGAIN = 'Nothing was changed; try again, with less beside it where the memory is short.'
const MEMORY_MEND = 'Choose a smaller batch or image size (with accumulation the effective batch stays), then resume.'

/** What a job threw, as the error for the person: TensorFlow's words for a lack of memory get their own code. */
export function jobError(thrown: unknown): ErrorValue {
  const value = toErrorValue(thrown)
  if (value.code !== 'internal' || !MEMORY_WORDS.test(value.message)) return value
  return { code: 'out-of-memory', message: 'The memory did not suffice for this step.', hint: MEMORY_MEND }
}

export interface Exit { code: number | null; signal: string | null; stderr: string; killedForMemory: boolean; training: boolean }

/** What a trainer's exit without an answer means. Its own last words tell a lack of memory from other aborts. */
export function exitError(exit: Exit): AppError {
  const how = exit.signal ? `ended by ${exit.signal}` : `ended with code ${exit.code ?? 'unknown'}`
  if (exit.killedForMemory || MEMORY_WORDS.test(exit.stderr)) {
    return new AppError('out-of-memory', `The trainer ran out of memory and was ${how}.`, { hint: exit.training ? MEMORY_MEND : AGAIN })
  }
  const last = exit.stderr.trim().split('\n').at(-1)?.slice(0, 300)
  return new AppError('trainer-died', `The trainer ${exit.signal ? 'was ' : ''}${how} before it was done${last ? `: ${last}` : ''}.`, {
    hint: exit.training ? 'Resume goes on from the last checkpoint; the folder\'s trainer.log has its last words.' : AGAIN,
  })
}

/** How many processes the kernel has killed for lack of memory: here (the container) or on the machine. Linux only. */
export function memoryKills(): number {
  const count = (path: string, key: string) => {
    try {
      return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
    } catch {
      return 0
    }
  }
  return count('/sys/fs/cgroup/memory.events', 'oom_kill') + count('/proc/vmstat', 'oom_kill')
}

/** A run's end that its own job does not tell: what the log says of it so far, and the error; without one it was stopped. */
export function endEvent(run: string, runFolder: string, error: ErrorValue | null): Extract<TrainEvent, { event: 'stopped' | 'failed' }> {
  const facts = foldEvents(noFacts(), readEvents(runFolder), '')
  const ending = {
    run, step: facts.step, metrics: facts.metrics, seconds: facts.startedAt > 0 ? (facts.activeAt - facts.startedAt) / 1000 : 0,
    imagesPerSecond: facts.imagesPerSecond, peakMemory: facts.peakMemory,
  }
  return error === null ? { event: 'stopped', ...ending } : { event: 'failed', ...ending, error }
}
