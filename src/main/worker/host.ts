import { createWriteStream, type WriteStream } from 'node:fs'
import { basename } from 'node:path'
import { type AppError, fromErrorValue, toErrorValue } from '../contract/errors'
import type { RunEvent, RunRequest } from '../contract/run'
import { openEventLog } from '../store/eventLog'
import { enterLane, type LaneHolder } from '../store/laneLock'
import type { HeldLock } from '../store/processLock'
import { lockRun, trainerLog } from '../store/runFolder'
import { endEvent, exitError, memoryKills } from './failure'
import type { Fork, TrainerProcess } from './fork'
import { type Job, type JobKind, type JobResult, jobResults, TrainerMessage } from './protocol'
import { createSlots, type Slots } from './slots'

export { nodeFork, utilityFork } from './fork'
export type { Fork, UtilityProcesses } from './fork'

export interface TrainerOptions {
  onEvent?: (event: RunEvent) => void
  onProgress?: (message: Extract<TrainerMessage, { type: 'progress' }>) => void
  onReady?: (device: string, pid: number) => void
  onAlive?: (memoryBytes: number) => void
  /** Gives the way to ask something of the trainer, once there is one. */
  onBegun?: (ask: (what: RunRequest) => void) => void
  /** Aborting asks for a graceful stop: the trainer saves and ends; after the grace period it is killed. */
  signal?: AbortSignal
  graceMs?: number
  /** A device of its own: what the trainer must find in its environment to use it alone, and the lock by which programs take turns. */
  lane?: { id: string; environment: Readonly<Record<string, string>>; lock: string }
  /** What the trainer of a job finds in its environment that has no device of its own. */
  environment?: Readonly<Record<string, string>>
  /** Another program has the device: the job waits until it is done. */
  onWait?: (holder: LaneHolder) => void
}
/** Starts a job in a trainer of its own; rejects with an AppError that says what to do. */
export interface Host {
  start<K extends JobKind>(job: Extract<Job, { kind: K }>, options?: TrainerOptions): Promise<JobResult<K>>
  /** Loads TensorFlow in a trainer and tells what it would compute on. */
  probe(): Promise<{ device: string }>
}

/** Saving a checkpoint of a large model to a slow disk takes its time. */
const GRACE_MS = 60_000
const TAIL_BYTES = 4096
const LOG_BYTES = 5 << 20

/** One job at a time on a device: two on one device take longer than one after the other, and may not fit into its memory. Jobs without a lane never wait. */
export function createHost(fork: Fork, trainings = 1): Host {
  const lanes = new Map<string, Slots>()
  const slotsOf = (lane: string) => {
    const slots = lanes.get(lane) ?? createSlots(trainings)
    lanes.set(lane, slots)
    return slots
  }
  return {
    start(job, options = {}) {
      const runFolder = folderToTrain(job)
      if (runFolder !== null) return startTraining(fork, slotsOf(options.lane?.id ?? ''), job, runFolder, options)
      if (options.lane) return inLane(fork, slotsOf(options.lane.id), job, null, options)
      return follow(fork(options.environment), job, NO_LOCKS, null, options)
    },
    probe: () => probeTrainer(fork()),
  }
}

function probeTrainer(child: TrainerProcess): Promise<{ device: string }> {
  const output = keepOutput(child, null)
  return new Promise((resolve, reject) => {
    child.onMessage(data => {
      const message = TrainerMessage.safeParse(data).data
      if (message?.type === 'ready') resolve({ device: message.device })
      else if (message?.type === 'failed') reject(fromErrorValue(message.error))
      child.post({ type: 'bye' })
    })
    child.onExit((code, signal) => reject(exitError({ code, signal, stderr: output.tail(), killedForMemory: false, training: false })))
    child.post({ type: 'probe' })
  })
}

/** The run is locked from the start, so it shows as queued and nobody else begins it. */
async function startTraining<K extends JobKind>(fork: Fork, slots: Slots, job: Extract<Job, { kind: K }>, runFolder: string, options: TrainerOptions): Promise<JobResult<K>> {
  const lock = lockRun(runFolder, basename(runFolder))
  try {
    return await inLane(fork, slots, job, lock, options)
  } catch (thrown) {
    lock.release()
    throw thrown
  }
}

/** Waits for its turn in this program, then for the device among programs. */
async function inLane<K extends JobKind>(fork: Fork, slots: Slots, job: Extract<Job, { kind: K }>, run: HeldLock | null, options: TrainerOptions): Promise<JobResult<K>> {
  const runFolder = folderToTrain(job)
  const { lane, signal } = options
  const unbegun = (thrown: unknown) => {
    if (runFolder !== null) recordEnd(runFolder, null, options)
    throw thrown
  }
  const leave = await slots.enter(signal).catch(unbegun)
  try {
    const device = lane ? await enterLane(lane.lock, runOf(job), options).catch(unbegun) : null
    return await follow(fork(lane?.environment), job, { run, lane: lane && device && { path: lane.lock, held: device } }, runFolder, options)
  } finally {
    leave()
  }
}

/** What a job holds while it is done: its run, and a device. */
interface Locks { run: HeldLock | null; lane: { path: string; held: HeldLock } | null | undefined }
const NO_LOCKS: Locks = { run: null, lane: null }

const runOf = ({ input }: Job): string => 'runFolder' in input && input.runFolder !== null ? basename(input.runFolder) : ''
const folderToTrain = (job: Job): string | null => job.kind === 'train' ? job.input.runFolder : null

function follow<K extends JobKind>(child: TrainerProcess, job: Extract<Job, { kind: K }>, { run: lock, lane }: Locks, runFolder: string | null, options: TrainerOptions) {
  const output = keepOutput(child, runFolder)
  const killsBefore = memoryKills()
  const leaveSignal = obeySignal(child, options)
  return new Promise<JobResult<K>>((resolve, reject) => {
    let answered = false
    const answer = (give: () => void) => {
      answered = true
      give()
      child.post({ type: 'bye' })
    }
    child.onMessage(data => {
      const parsed = TrainerMessage.safeParse(data)
      if (!parsed.success) return
      const message = parsed.data
      if (message.type === 'done') answer(() => settle(job.kind, message.result, resolve, reject))
      else if (message.type === 'failed') answer(() => reject(fromErrorValue(message.error)))
      else notify(message, options)
    })
    child.onExit((code, signal) => {
      leaveSignal()
      output.close()
      if (!answered) {
        const error = exitError({ code, signal, stderr: output.tail(), training: job.kind === 'train', killedForMemory: memoryKills() > killsBefore && signal !== 'SIGTERM' })
        // Somebody may have taken the dead run up already; then its log is theirs.
        if (runFolder !== null && lock?.held()) recordEnd(runFolder, error, options)
        reject(error)
      }
      lock?.release()
      lane?.held.release()
    })
    child.post({ type: 'job', job, lockToken: lock?.token ?? null, lane: lane ? { path: lane.path, token: lane.held.token } : null })
    options.onBegun?.(what => child.post({ type: 'ask', what }))
  })
}

function settle<K extends JobKind>(kind: K, result: unknown, resolve: (result: JobResult<K>) => void, reject: (error: Error) => void): void {
  const parsed = jobResults[kind].safeParse(result)
  if (parsed.success) resolve(parsed.data as JobResult<K>)
  else reject(new Error(`The ${kind} job answered with something else than promised: ${parsed.error.message}`))
}

function notify(message: TrainerMessage, options: TrainerOptions): void {
  if (message.type === 'event') options.onEvent?.(message.event)
  else if (message.type === 'progress') options.onProgress?.(message)
  else if (message.type === 'ready') options.onReady?.(message.device, message.pid)
  else if (message.type === 'alive') options.onAlive?.(message.memory)
}

/** Writes the end of a run that no trainer began: without an error, somebody stopped it. */
export function recordUnbegun(runFolder: string, error: AppError | null): void {
  const lock = lockRun(runFolder, basename(runFolder))
  recordEnd(runFolder, error, {})
  lock.release()
}

/** The trainer is dead, or was never there, so its host is the only writer now. No error: the run was stopped. */
function recordEnd(runFolder: string, error: AppError | null, options: TrainerOptions): void {
  try {
    const log = openEventLog(runFolder)
    const event = log.append(endEvent(basename(runFolder), runFolder, error && toErrorValue(error)))
    log.close()
    options.onEvent?.(event)
  } catch { /* a full disk or a removed folder: without the event the run reads as interrupted all the same */ }
}

function obeySignal(child: TrainerProcess, { signal, graceMs = GRACE_MS }: TrainerOptions): () => void {
  let timer: NodeJS.Timeout | undefined
  const stop = () => {
    child.post({ type: 'stop' })
    timer = setTimeout(() => child.kill(), graceMs)
  }
  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop, { once: true })
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** Everything the trainer and TensorFlow print goes to the run's trainer.log, up to a bound; the tail explains a death. */
function keepOutput(child: TrainerProcess, runFolder: string | null): { tail(): string; close(): void } {
  const file: WriteStream | null = runFolder === null ? null : createWriteStream(trainerLog(runFolder), { flags: 'a' })
  file?.on('error', () => {})
  let tail = Buffer.alloc(0)
  let bytes = 0
  child.onOutput(chunk => {
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES)
    bytes += chunk.byteLength
    if (bytes <= LOG_BYTES) file?.write(chunk)
  })
  return { tail: () => tail.toString('utf8'), close: () => file?.end() }
}
