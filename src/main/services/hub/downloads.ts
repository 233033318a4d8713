import { existsSync } from 'node:fs'
import { AppError, toErrorValue } from '../../contract/errors'
import type { HubDownload, HubKind, HubModel } from '../../contract/hub'
import { arrivedBytes, dropPartial, type HubOrigin, type HubRef, listPartial, partialFolder, partialLock, wholeFolder } from '../../store/hubFolders'
import type { Workspace } from '../../store/paths'
import { type HeldLock, takeLock } from '../../store/processLock'
import type { Deps } from '../deps'
import type { Account } from './account'
import { agreeOn } from './agree'
import { bringAll } from './bring'
import type { Pace } from './transfer'

interface Job { origin: HubOrigin; state: HubDownload['state']; error: HubDownload['error']; control: AbortController; began: { at: number; bytes: number }; ended: Promise<void> }

const TELL_MS = 200

/** As a request names it; the command line gets models. */
interface Wanted { id: string; kind?: HubKind }
const refOf = ({ id, kind = 'model' }: Wanted): HubRef => ({ kind, id })
const keyOf = ({ kind, id }: HubRef) => `${kind} ${id}`

/** Models and datasets on their way from the hub. Each is a hidden folder that keeps what has arrived, and becomes a holding in one step when all of it is checked. */
export function createDownloads({ workspace }: Deps, account: Account, info: (ref: HubRef) => Promise<HubModel>, pace: Pace) {
  const jobs = new Map<string, Job>()
  let revision = 0
  const changed = () => { revision++ }
  const isActive = (ref: HubRef) => ['running', 'checking'].includes(jobs.get(keyOf(ref))?.state ?? '')

  function list(): HubDownload[] {
    const left = listPartial(workspace).filter(({ origin }) => !jobs.has(keyOf(origin))).map(({ origin }) => idle(origin))
    return [...jobs.values(), ...left].map(job => shown(workspace, job))
  }

  async function bring(job: Job, lock: HeldLock): Promise<void> {
    const { origin, control: { signal } } = job
    const set = (state: Job['state'], error: Job['error'] = null) => {
      Object.assign(job, { state, error })
      changed()
    }
    try {
      await bringAll(origin, { workspace, account, pace, signal, onBytes: changed, onChecking: () => set('checking') })
      set('done')
    } catch (thrown) {
      if (signal.aborted) set('paused')
      else set('failed', toErrorValue(thrown))
    } finally {
      lock.release()
    }
  }

  async function stop(key: string): Promise<void> {
    const job = jobs.get(key)
    job?.control.abort()
    await job?.ended
  }

  /** Begins a download, or goes on with one. Resolves when it is under way. */
  async function start(wanted: Wanted): Promise<void> {
    const ref = refOf(wanted)
    if (isActive(ref)) return
    if (existsSync(wholeFolder(workspace, ref))) throw new AppError('bad-input', `${ref.id} is on disk already.`)
    const origin = await agreeOn(ref, workspace, account, info)
    if (isActive(ref)) return
    const lock = locked(workspace, ref)
    const job: Job = { ...idle(origin), state: 'running', began: { at: Date.now(), bytes: arrivedBytes(workspace, origin) } }
    jobs.set(keyOf(ref), job)
    changed()
    job.ended = bring(job, lock)
  }

  async function cancel(wanted: Wanted): Promise<void> {
    const ref = refOf(wanted)
    await stop(keyOf(ref))
    if (existsSync(partialFolder(workspace, ref))) {
      const lock = locked(workspace, ref)
      dropPartial(workspace, ref)
      lock.release()
    }
    jobs.delete(keyOf(ref))
    changed()
  }

  return {
    start, cancel, list,
    pause: (wanted: Wanted): Promise<void> => stop(keyOf(refOf(wanted))),
    watch: (_: void, emit: (events: HubDownload[][]) => void): () => void => tellChanges(() => revision, () => emit([list()])),
    /** What has arrived stays, for another day. */
    close: async (): Promise<void> => { await Promise.all([...jobs.keys()].map(stop)) },
  }
}

const idle = (origin: HubOrigin): Job => ({ origin, state: 'paused', error: null, control: new AbortController(), began: { at: 0, bytes: 0 }, ended: Promise.resolve() })

function shown(workspace: Workspace, { origin, state, error, began }: Job): HubDownload {
  const sizeBytes = origin.files.reduce((sum, file) => sum + file.sizeBytes, 0)
  const doneBytes = state === 'done' ? sizeBytes : Math.min(sizeBytes, arrivedBytes(workspace, origin))
  const seconds = (Date.now() - began.at) / 1000
  const bytesPerSecond = state === 'running' && seconds > 1 && doneBytes > began.bytes ? (doneBytes - began.bytes) / seconds : null
  return { kind: origin.kind, id: origin.id, state, licence: origin.licence, doneBytes, sizeBytes, bytesPerSecond, error }
}

function locked(workspace: Workspace, ref: HubRef): HeldLock {
  const lock = takeLock(partialLock(workspace, ref))
  if (lock) return lock
  throw new AppError('workspace-busy', `Another Engram on this workspace is downloading ${ref.id}.`)
}

/** Tells at once, and then at most a few times a second. */
function tellChanges(revision: () => number, tell: () => void): () => void {
  let told = -1
  const look = () => {
    if (told === revision()) return
    told = revision()
    tell()
  }
  look()
  const timer = setInterval(look, TELL_MS)
  return () => clearInterval(timer)
}
