import { existsSync } from 'node:fs'
import { AppError } from '../contract/errors'
import type { QueueAdd, QueueLane, QueueMove, QueueState } from '../contract/queue'
import { breather } from '../store/breathe'
import type { RunOrigin } from '../contract/run'
import { openQueueFile, place } from '../store/queueFile'
import { recordUnbegun } from '../worker/host'
import type { Deps } from './deps'
import { createDispatch } from './dispatch'
import { freeze, type Frozen } from './freeze'
import type { Lane, Lanes } from './lanes'
import type { Planning } from './planning'
import type { Trainings } from './trainings'

/** How often other programs on the devices are looked for. */
const LOOK_MS = 1000

/**
 * Runs that wait, in a lane per device. A waiting run is a whole run folder, frozen when it was added; the queue's file holds the order
 * alone. A run leaves it when its training begins, so a kill leaves each run either waiting or interrupted.
 */
export function createQueue(deps: Deps, planning: Planning, trainings: Trainings, devices: Lanes) {
  const { store, workspace } = deps
  const file = openQueueFile(workspace.queue)
  const listeners = new Set<() => void>()
  const changed = () => { for (const listener of listeners) listener() }
  const dispatch = createDispatch(deps, trainings, devices, file, changed)
  let homed = false

  async function lanes(): Promise<readonly Lane[]> {
    const found = await devices.all()
    if (!homed) rehome(found)
    homed = true
    return found
  }

  /** A GPU that is gone leaves its runs to the first lane. */
  function rehome(found: readonly Lane[]): void {
    const known = (id: string) => found.some(lane => lane.id === id)
    if (file.read().waiting.every(({ lane }) => known(lane))) return
    file.change(({ waiting }) => ({ waiting: waiting.map(entry => known(entry.lane) ? entry : { ...entry, lane: found[0]!.id }) }))
  }

  async function list(): Promise<QueueState> {
    const found = await lanes()
    const { waiting, paused } = file.read()
    const shown = found.map((lane): QueueLane => {
      const { id, device } = lane
      const running = dispatch.runningIn(id)
      const runs = waiting.filter(({ lane, run }) => lane === id && run !== running && existsSync(store.folder(run))).map(({ run }) => run)
      return { id, device, paused: id in paused, why: paused[id] ?? null, running, elsewhere: running ? null : devices.holder(lane), waiting: runs }
    })
    return { lanes: shown, next: leastBusy(shown).id }
  }

  async function laneOr(id: string | undefined): Promise<string> {
    const { lanes: all, next } = await list()
    if (id === undefined) return next
    if (all.some(lane => lane.id === id)) return id
    throw new AppError('bad-input', `There is no lane ${id} on this machine; there ${all.length === 1 ? 'is' : 'are'} ${all.map(lane => lane.id).join(', ')}.`)
  }

  async function startAll(): Promise<void> {
    for (const lane of await lanes()) dispatch.startNext(lane)
    changed()
  }

  async function prepared(draft: unknown, bases: readonly string[], index: number, count: number): Promise<Frozen> {
    try {
      return await freeze(await planning.prepare(draft, bases), deps.version)
    } catch (thrown) {
      if (count === 1 || !(thrown instanceof AppError)) throw thrown
      throw new AppError(thrown.code, `Run ${index + 1} of ${count}: ${thrown.message} None was queued.`, thrown.field ? { field: thrown.field } : {})
    }
  }

  return {
    list,
    /** Checks and freezes every recipe before any is added. */
    async add({ recipes, lane, origin }: Omit<QueueAdd, 'origin'> & { origin?: RunOrigin | undefined }, bases: readonly string[] = [process.cwd()], start?: string): Promise<{ runs: string[] }> {
      const target = await laneOr(lane)
      const frozen: Frozen[] = []
      for (const [index, draft] of recipes.entries()) frozen.push(await prepared(draft, bases, index, recipes.length))
      const breathe = breather()
      const runs: string[] = []
      for (const draft of frozen) {
        const run = store.create({ ...draft, ...(origin ? { origin } : {}) }, start).manifest.id
        // Each at once: a run that was made and does not wait would look interrupted after a kill.
        file.change(({ waiting }) => ({ waiting: [...waiting, { run, lane: target }] }))
        runs.push(run)
        await breathe()
      }
      await startAll()
      return { runs }
    },
    /** A run that goes on is wanted now: it comes next. */
    async resume(run: string): Promise<void> {
      const lane = await laneOr(undefined)
      file.change(({ waiting }) => ({ waiting: place(waiting, { run, lane }, 0) }))
      await startAll()
    },
    async move({ run, lane, position }: QueueMove): Promise<void> {
      const target = lane === undefined ? undefined : await laneOr(lane)
      file.change(({ waiting }) => {
        const entry = waiting.find(one => one.run === run)
        if (!entry || dispatch.isRunning(run)) throw new AppError('run-state', `Run ${run} does not wait in the queue any more.`)
        return { waiting: place(waiting, { run, lane: target ?? entry.lane }, position) }
      })
      await startAll()
    },
    /** Takes runs off the queue; they stay in the workspace as stopped. Those that do not wait are left alone. */
    remove({ runs }: { runs: string[] }): void {
      const leaving = runs.filter(dispatch.waits)
      dispatch.leave(leaving)
      for (const run of leaving) if (existsSync(store.folder(run))) recordUnbegun(store.folder(run), null)
      changed()
    },
    async pause({ lane, paused }: { lane: string; paused: boolean }): Promise<void> {
      const target = await laneOr(lane)
      file.change(content => {
        const { [target]: _, ...others } = content.paused
        return { paused: paused ? { ...others, [target]: null } : others }
      })
      await startAll()
    },
    watch(_: void, emit: (states: QueueState[]) => void): () => void {
      let told = ''
      const tell = () => void list().then(now => {
        const text = JSON.stringify(now)
        if (listeners.has(tell) && text !== told) emit([now])
        told = text
      }, () => { /* the workspace's disk is away */ })
      listeners.add(tell)
      tell()
      const timer = setInterval(tell, LOOK_MS)
      return () => {
        clearInterval(timer)
        listeners.delete(tell)
      }
    },
    waits: dispatch.waits, onEnded: dispatch.onEnded, close: dispatch.close,
    /** Goes on with what waited when the program last ended; `held`: only when a person says so. */
    async open(held: boolean): Promise<void> {
      await lanes()
      if (held) file.change(({ waiting, paused }) => ({ paused: { ...Object.fromEntries(waiting.map(({ lane }) => [lane, null])), ...paused } }))
      await startAll()
    },
  }
}
export type Queue = ReturnType<typeof createQueue>

/** The GPU with the least before it; the CPU only where there is no GPU. */
function leastBusy(lanes: readonly QueueLane[]): QueueLane {
  const load = ({ running, elsewhere, waiting }: QueueLane) => waiting.length + (running || elsewhere ? 1 : 0)
  const gpus = lanes.filter(({ id }) => id !== 'cpu')
  return [...(gpus.length > 0 ? gpus : lanes)].sort((a, b) => load(a) - load(b))[0]!
}
