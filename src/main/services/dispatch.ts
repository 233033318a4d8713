import { existsSync } from 'node:fs'
import { AppError, type ErrorCode, toErrorValue } from '../contract/errors'
import { listCheckpoints } from '../store/checkpoints'
import type { QueueFile } from '../store/queueFile'
import { recordUnbegun } from '../worker/host'
import type { Deps } from './deps'
import { checkUnchanged } from './freeze'
import type { Lane, Lanes } from './lanes'
import type { Trainings } from './trainings'

/** What would fail every run after this one too: the lane is paused, and the runs wait until it is mended. */
const HOPELESS: readonly ErrorCode[] = ['disk-full', 'runtime-missing', 'workspace-unwritable']

const LOOK_MS = 500

/** Trains what waits, one run at a time in each lane; how a run ends changes nothing for the next. */
export function createDispatch({ store }: Pick<Deps, 'store'>, trainings: Trainings, lanes: Lanes, file: QueueFile, changed: () => void) {
  const running = new Map<string, string>()
  const endings = new Set<(run: string) => void>()
  const looks = new Map<string, NodeJS.Timeout>()
  let closed = false

  function startNext(lane: Lane): void {
    if (closed || running.has(lane.id)) return
    const { waiting, paused } = file.read()
    const next = lane.id in paused ? undefined : waiting.find(entry => entry.lane === lane.id)
    if (!next) return
    if (lanes.holder(lane)) return lookAgain(lane)
    running.set(lane.id, next.run)
    void train(next.run, lane).catch(thrown => holdIfHopeless(file, lane, thrown)).finally(() => {
      running.delete(lane.id)
      for (const ended of endings) ended(next.run)
      startNext(lane)
      changed()
    })
  }

  /** Another program has the device, or an evaluation: what waits goes on waiting in its order. */
  function lookAgain(lane: Lane): void {
    clearTimeout(looks.get(lane.id))
    looks.set(lane.id, setTimeout(() => startNext(lane), LOOK_MS))
  }

  async function train(run: string, lane: Lane): Promise<void> {
    try {
      await checkUnchanged(store.manifest(run))
      if (closed || !file.waits(run)) return
      const resume = listCheckpoints(store.folder(run)).length > 0
      const result = trainings.begin(run, { resume, lane: lanes.placeOf(lane) })
      // Its lock is taken by now, so it shows as waiting or running, never as neither.
      file.leave([run])
      changed()
      await result
    } catch (thrown) {
      if (file.waits(run)) endUnbegun(run, thrown)
      throw thrown
    }
  }

  function endUnbegun(run: string, thrown: unknown): void {
    file.leave([run])
    if (!existsSync(store.folder(run))) return
    const { code, message } = toErrorValue(thrown)
    recordUnbegun(store.folder(run), new AppError(code, message))
  }

  return {
    startNext,
    runningIn: (lane: string): string | null => running.get(lane) ?? null,
    isRunning: (run: string): boolean => [...running.values()].includes(run),
    onEnded: (listener: (run: string) => void): void => void endings.add(listener),
    /** Nothing starts any more; what waits stays. */
    close(): void {
      closed = true
      for (const timer of looks.values()) clearTimeout(timer)
    },
  }
}

function holdIfHopeless(file: QueueFile, { id }: Lane, thrown: unknown): void {
  const { code, message } = toErrorValue(thrown)
  if (HOPELESS.includes(code)) file.change(({ paused }) => ({ paused: { ...paused, [id]: message } }))
}
