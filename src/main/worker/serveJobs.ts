import { basename } from 'node:path'
import { AppError, type ErrorValue } from '../contract/errors'
import type { RunRequest, TrainEvent } from '../contract/run'
import { type EventLog, openEventLog } from '../store/eventLog'
import { adoptLock, type HeldLock } from '../store/processLock'
import { adoptRunLock, lockRun } from '../store/runFolder'
import { openChannel, type Channel } from './channel'
import { endEvent, jobError } from './failure'
import type { HostMessage, Job, JobContext, JobFunction, JobKind, JobPhase, TrainResult } from './protocol'

/** How a trainer does its jobs; loading comes first, so that TensorFlow is there before any of the engine. */
export interface Trade {
  load(): Promise<{ device: string }>
  job<K extends JobKind>(kind: K): Promise<JobFunction<K>>
}

const ALIVE_EVERY_MS = 1000
const PROGRESS_EVERY_MS = 100
const LAST_WORD_MS = 2000

const hostGone: ErrorValue = {
  code: 'trainer-died',
  message: 'The program that had started this run ended, so the run saved its state and stopped.',
  hint: 'Resume goes on from there.',
}

/** Serves one job from the host, then exits. */
export function serveJobs(trade: Trade): void {
  const channel = openChannel()
  const stop: StopState = { asked: false, lost: false }
  const requests = new Set<RunRequest>()
  // Ctrl-C reaches the whole terminal group; the host decides what it means.
  process.on('SIGINT', () => {})
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  process.on('SIGTERM', () => { stop.asked = true })
  channel.onLost(() => {
    stop.asked = true
    stop.lost = true
    if (!busy) process.exit(0)
  })
  let busy = false
  channel.onMessage(message => {
    if (message.type === 'stop') stop.asked = true
    else if (message.type === 'ask') requests.add(message.what)
    else if (message.type === 'bye') process.exit(0)
    else if (!busy) {
      busy = true
      const work = message.type === 'job' ? serve(trade, channel, message, stop, requests) : probe(trade, channel)
      void work.finally(() => leave(stop.lost))
    }
  })
}

/** Waits for the host's `bye`, so that the answer is not lost with the process. */
const leave = (lost: boolean) => lost ? process.exit(0) : setTimeout(() => process.exit(0), LAST_WORD_MS)

async function probe(trade: Trade, channel: Channel): Promise<void> {
  try {
    const { device } = await trade.load()
    channel.post({ type: 'ready', pid: process.pid, device })
  } catch (thrown) {
    channel.post({ type: 'failed', error: jobError(thrown) })
  }
}

interface StopState { asked: boolean; lost: boolean }
type JobMessage = Extract<HostMessage, { type: 'job' }>

async function serve(trade: Trade, channel: Channel, { job, lockToken, lane }: JobMessage, stop: StopState, requests: Set<RunRequest>): Promise<void> {
  let record: Record | null = null
  const device = lane && adoptLock(lane.path, lane.token)
  const finish = (result: unknown) => {
    record?.close()
    device?.release()
    channel.post({ type: 'done', result })
  }
  const fail = (thrown: unknown) => {
    if (record && stop.asked && thrown instanceof AppError && thrown.code === 'cancelled') return finish(record.stopped())
    const error = jobError(thrown)
    if (error.code === 'internal') console.error(thrown)
    record?.failed(error)
    record?.close()
    device?.release()
    channel.post({ type: 'failed', error })
  }
  process.on('uncaughtException', thrown => {
    fail(thrown)
    leave(stop.lost)
  })
  try {
    record = openRecord(job, lockToken, channel, stop)
    const { device: name } = await trade.load()
    channel.post({ type: 'ready', pid: process.pid, device: name })
    const beat = () => { record?.beat(); device?.beat() }
    finish(await perform(trade, job, createContext({ device: name, channel, record, stop, requests, beat })))
  } catch (thrown) {
    fail(thrown)
  }
}

/** A switch on the kind would say the same four times; the table's types hold kind, input and result together. */
async function perform<K extends JobKind>(trade: Trade, job: Job & { kind: K }, ctx: JobContext): Promise<unknown> {
  const work = await trade.job(job.kind)
  return work(job.input as Parameters<JobFunction<K>>[0], ctx)
}

/** A training job's hold on its run: the lock and the event log. */
interface Record { emit(event: TrainEvent): void; stopped(): TrainResult; failed(error: ErrorValue): void; beat(): void; close(): void }

function openRecord(job: Job, lockToken: string | null, channel: Channel, stop: StopState): Record | null {
  if (job.kind !== 'train') return null
  const { runFolder } = job.input
  const run = basename(runFolder)
  const lock = takeRunLock(runFolder, run, lockToken)
  const log: EventLog = openEventLog(runFolder)
  let open = true
  const append = (event: TrainEvent) => channel.post({ type: 'event', event: log.append(event) })
  const emit = (event: TrainEvent) => append(event.event === 'stopped' && stop.lost ? { ...event, event: 'failed', error: hostGone } : event)
  const close = () => {
    if (!open) return
    open = false
    log.close()
    lock.release()
  }
  return {
    emit, close,
    failed: error => { if (open) append(endEvent(run, runFolder, error)) },
    stopped() {
      const ending = endEvent(run, runFolder, null)
      emit(ending)
      close()
      return { ended: 'stopped', step: ending.step }
    },
    beat: lock.beat,
  }
}

function takeRunLock(runFolder: string, run: string, token: string | null): HeldLock {
  if (token === null) return lockRun(runFolder, run)
  const adopted = adoptRunLock(runFolder, token)
  if (!adopted) throw new AppError('run-busy', `Run ${run} was taken over by another process.`)
  return adopted
}

interface Surroundings { device: string; channel: Channel; record: Record | null; stop: StopState; requests: Set<RunRequest>; beat(): void }

function createContext({ device, channel, record, stop, requests, beat }: Surroundings): JobContext {
  let aliveAt = 0
  let progressAt = 0
  let phase: JobPhase | null = null
  const alive = () => {
    const now = Date.now()
    if (now - aliveAt < ALIVE_EVERY_MS) return
    aliveAt = now
    beat()
    channel.post({ type: 'alive', memory: process.memoryUsage.rss() })
  }
  setInterval(alive, ALIVE_EVERY_MS).unref()
  return {
    device,
    emit(event) {
      if (!record) throw new Error('only a training job has events')
      record.emit(event)
    },
    progress(next, done, total, message) {
      const now = Date.now()
      if (next === phase && done !== total && now - progressAt < (record ? ALIVE_EVERY_MS : PROGRESS_EVERY_MS)) return
      phase = next
      progressAt = now
      if (record) record.emit({ event: 'phase', phase: next, done, total, message })
      else channel.post({ type: 'progress', phase: next, done, total, message })
    },
    stopRequested: () => stop.asked,
    requests() {
      const now = new Set(requests)
      requests.clear()
      return now
    },
    async turn() {
      await new Promise(resolve => setImmediate(resolve))
      alive()
      return !stop.asked
    },
  }
}
