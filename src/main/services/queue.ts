import { existsSync } from 'node:fs'
import { AppError } from '../contract/errors'
import type { QueueAdd, QueueMove, QueueState } from '../contract/queue'
import type { RunOrigin } from '../contract/run'
import { openQueueFile, place } from '../store/queueFile'
import { recordUnbegun } from '../worker/host'
import type { Deps } from './deps'
import { createDispatch } from './dispatch'
import { everySecond } from './everySecond'
import type { Lanes } from './lanes'
import type { Planning } from './planning'
import { enqueue, freezeAll } from './queueAdd'
import { createQueueLanes } from './queueLanes'
import type { Trainings } from './trainings'

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
  const { lanes, list, laneOr } = createQueueLanes(store, file, devices, dispatch.runningIn)

  async function startAll(): Promise<void> {
    for (const lane of await lanes()) dispatch.startNext(lane)
    changed()
  }

  return {
    list,
    /** Checks and freezes every recipe before any is added. */
    async add({ recipes, lane, origin }: Omit<QueueAdd, 'origin'> & { origin?: RunOrigin | undefined }, bases: readonly string[] = [process.cwd()], start?: string): Promise<{ runs: string[] }> {
      const target = await laneOr(lane)
      const frozen = await freezeAll(deps, planning, recipes, bases)
      const runs = await enqueue(store, file, frozen.map(draft => ({ ...draft, ...(origin ? { origin } : {}) })), target, start)
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
      const leaving = runs.filter(file.waits)
      file.leave(leaving)
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
    watch: (_: void, emit: (states: QueueState[]) => void): () => void => tellChanges(list, listeners, emit),
    waits: file.waits, onEnded: dispatch.onEnded, close: dispatch.close,
    /** Goes on with what waited when the program last ended; `held`: only when a person says so. */
    async open(held: boolean): Promise<void> {
      await lanes()
      if (held) file.change(({ waiting, paused }) => ({ paused: { ...Object.fromEntries(waiting.map(({ lane }) => [lane, null])), ...paused } }))
      await startAll()
    },
  }
}
export type Queue = ReturnType<typeof createQueue>

/** Tells the queue when it was changed here, and when another program takes or leaves a device. */
function tellChanges(list: () => Promise<QueueState>, listeners: Set<() => void>, emit: (states: QueueState[]) => void): () => void {
  let told = ''
  const tell = () => void list().then(now => {
    const text = JSON.stringify(now)
    if (listeners.has(tell) && text !== told) emit([now])
    told = text
  }, () => { /* the workspace's disk is away */ })
  listeners.add(tell)
  tell()
  const leave = everySecond(tell)
  return () => {
    leave()
    listeners.delete(tell)
  }
}
