import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError, toErrorValue } from '../../contract/errors'
import type { HubDownload, HubKind, HubModel } from '../../contract/hub'
import { arrivedBytes, beginPartial, dropPartial, finishPartial, homeOf, type HubOrigin, type HubRef, listPartial, partialFolder, partialLock, sizeOf, wholeFolder } from '../../store/hubFolders'
import { hashFile } from '../../store/modelHash'
import { type HeldLock, takeLock } from '../../store/processLock'
import type { Deps } from '../deps'
import { diskFree } from '../machine'
import type { Account } from './account'
import { fileAddress } from './repository'
import { createRequest, gated } from './request'
import { type Pace, transfer } from './transfer'

interface Job { origin: HubOrigin; state: HubDownload['state']; error: HubDownload['error']; control: AbortController; began: { at: number; bytes: number }; ended: Promise<void> }

const TELL_MS = 200
const MARGIN_BYTES = 1e8

/** As a request names it; the command line gets models. */
interface Wanted { id: string; kind?: HubKind }
const refOf = ({ id, kind = 'model' }: Wanted): HubRef => ({ kind, id })
const keyOf = ({ kind, id }: HubRef) => `${kind} ${id}`

/** Models and datasets on their way from the hub. Each is a hidden folder that keeps what has arrived, and becomes a holding in one step when all of it is checked. */
export function createDownloads({ workspace }: Deps, account: Account, info: (ref: HubRef) => Promise<HubModel>, pace: Pace) {
  const jobs = new Map<string, Job>()
  let revision = 0
  const changed = () => { revision++ }

  function show({ origin, state, error, began }: Job): HubDownload {
    const sizeBytes = origin.files.reduce((sum, file) => sum + file.sizeBytes, 0)
    const doneBytes = state === 'done' ? sizeBytes : Math.min(sizeBytes, arrivedBytes(workspace, origin))
    const seconds = (Date.now() - began.at) / 1000
    const bytesPerSecond = state === 'running' && seconds > 1 && doneBytes > began.bytes ? (doneBytes - began.bytes) / seconds : null
    return { kind: origin.kind, id: origin.id, state, licence: origin.licence, doneBytes, sizeBytes, bytesPerSecond, error }
  }
  const idle = (origin: HubOrigin): Job => ({ origin, state: 'paused', error: null, control: new AbortController(), began: { at: 0, bytes: 0 }, ended: Promise.resolve() })

  function list(): HubDownload[] {
    const left = listPartial(workspace).filter(({ origin }) => !jobs.has(keyOf(origin))).map(({ origin }) => idle(origin))
    return [...jobs.values(), ...left].map(show)
  }

  async function agreed(ref: HubRef): Promise<HubOrigin> {
    const begun = listPartial(workspace).find(({ origin }) => keyOf(origin) === keyOf(ref))
    if (begun) return begun.origin
    const { problem, files, revision: at, licence, gated: closed } = await info(ref)
    if (problem) throw new AppError(ref.kind === 'model' ? 'model-unsupported' : 'dataset-invalid', `Engram cannot use ${ref.id}: ${problem}`)
    if (closed && account.token() === null) throw gated(account.endpoint(), ref, false)
    const origin: HubOrigin = { format: 1, ...ref, revision: at, licence, endpoint: account.endpoint(), files, startedAt: Date.now() }
    beginPartial(workspace, origin)
    return origin
  }

  function checkRoom(origin: HubOrigin): void {
    const needed = origin.files.reduce((sum, file) => sum + file.sizeBytes, 0) - arrivedBytes(workspace, origin) + MARGIN_BYTES
    const home = homeOf(workspace, origin.kind), free = diskFree(workspace.root)
    if (needed > free) throw new AppError('disk-full', `${origin.id} needs ${gigabytes(needed)} in ${home} and ${gigabytes(free)} are free. Free some space, then try again.`)
  }

  async function bring(job: Job, lock: HeldLock): Promise<void> {
    const { origin, control: { signal } } = job
    const folder = partialFolder(workspace, origin)
    const request = createRequest(account, origin)
    try {
      for (const { name, sizeBytes } of origin.files) {
        const address = fileAddress(account.endpoint(), origin, origin.revision, name), path = join(folder, name)
        mkdirSync(dirname(path), { recursive: true })
        await transfer({ request, address, path, sizeBytes, signal, pace, onBytes: changed })
      }
      set(job, 'checking')
      await checkFiles(origin, folder)
      signal.throwIfAborted()
      finishPartial(workspace, origin)
      set(job, 'done')
    } catch (thrown) {
      if (signal.aborted) set(job, 'paused')
      else set(job, 'failed', toErrorValue(thrown))
    } finally {
      lock.release()
    }
  }
  function set(job: Job, state: Job['state'], error: Job['error'] = null): void {
    Object.assign(job, { state, error })
    changed()
  }

  function locked(ref: HubRef): HeldLock {
    const lock = takeLock(partialLock(workspace, ref))
    if (lock) return lock
    throw new AppError('workspace-busy', `Another Engram on this workspace is downloading ${ref.id}.`)
  }
  const isActive = (ref: HubRef) => ['running', 'checking'].includes(jobs.get(keyOf(ref))?.state ?? '')

  async function stop(key: string): Promise<void> {
    const job = jobs.get(key)
    job?.control.abort()
    await job?.ended
  }

  return {
    /** Begins a download, or goes on with one. Resolves when it is under way. */
    async start(wanted: Wanted): Promise<void> {
      const ref = refOf(wanted)
      if (isActive(ref)) return
      if (existsSync(wholeFolder(workspace, ref))) throw new AppError('bad-input', `${ref.id} is on disk already.`)
      const origin = await agreed(ref)
      checkRoom(origin)
      if (isActive(ref)) return
      const lock = locked(ref)
      const job: Job = { ...idle(origin), state: 'running', began: { at: Date.now(), bytes: arrivedBytes(workspace, origin) } }
      jobs.set(keyOf(ref), job)
      changed()
      job.ended = bring(job, lock)
    },
    pause: (wanted: Wanted): Promise<void> => stop(keyOf(refOf(wanted))),
    async cancel(wanted: Wanted): Promise<void> {
      const ref = refOf(wanted)
      await stop(keyOf(ref))
      if (existsSync(partialFolder(workspace, ref))) {
        const lock = locked(ref)
        dropPartial(workspace, ref)
        lock.release()
      }
      jobs.delete(keyOf(ref))
      changed()
    },
    list,
    watch(_: void, emit: (events: HubDownload[][]) => void): () => void {
      let told = -1
      const tell = () => {
        if (told === revision) return
        told = revision
        emit([list()])
      }
      tell()
      const timer = setInterval(tell, TELL_MS)
      return () => clearInterval(timer)
    },
    /** What has arrived stays, for another day. */
    async close(): Promise<void> {
      await Promise.all([...jobs.keys()].map(stop))
    },
  }
}

/** A file that did not arrive as it is on the hub is thrown away, so that trying again brings it anew. */
async function checkFiles({ files }: HubOrigin, folder: string): Promise<void> {
  for (const { name, sizeBytes, sha256 } of files) {
    const path = join(folder, name)
    if (sizeOf(path) === sizeBytes && (sha256 === null || await hashFile(path) === sha256)) continue
    rmSync(path, { force: true })
    throw new AppError('verification-failed', `${name} did not arrive as it is on the hub: its checksum differs. Try again; the file is downloaded anew.`)
  }
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
