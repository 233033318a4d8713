import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, toErrorValue } from '../../contract/errors'
import type { HubDownload } from '../../contract/hub'
import { arrivedBytes, beginPartial, dropPartial, finishPartial, type HubOrigin, listPartial, partialFolder, partialLock, sizeOf, wholeFolder } from '../../store/hubFolders'
import { hashFile } from '../../store/modelHash'
import { type HeldLock, takeLock } from '../../store/processLock'
import type { Deps } from '../deps'
import { diskFree } from '../machine'
import type { Account } from './account'
import { fileAddress, hubModel } from './models'
import { createRequest, gated } from './request'
import { type Pace, transfer } from './transfer'

interface Job { origin: HubOrigin; state: HubDownload['state']; error: HubDownload['error']; control: AbortController; began: { at: number; bytes: number }; ended: Promise<void> }

const TELL_MS = 200
const MARGIN_BYTES = 1e8

/** Models on their way from the hub. Each is a hidden folder that keeps what has arrived, and becomes a model in one step when all of it is checked. */
export function createDownloads({ workspace }: Deps, account: Account, pace: Pace) {
  const jobs = new Map<string, Job>()
  let revision = 0
  const changed = () => { revision++ }

  function show({ origin, state, error, began }: Job): HubDownload {
    const sizeBytes = origin.files.reduce((sum, file) => sum + file.sizeBytes, 0)
    const doneBytes = state === 'done' ? sizeBytes : Math.min(sizeBytes, arrivedBytes(workspace, origin))
    const seconds = (Date.now() - began.at) / 1000
    const bytesPerSecond = state === 'running' && seconds > 1 && doneBytes > began.bytes ? (doneBytes - began.bytes) / seconds : null
    return { id: origin.id, state, licence: origin.licence, doneBytes, sizeBytes, bytesPerSecond, error }
  }
  const idle = (origin: HubOrigin): Job => ({ origin, state: 'paused', error: null, control: new AbortController(), began: { at: 0, bytes: 0 }, ended: Promise.resolve() })

  function list(): HubDownload[] {
    const left = listPartial(workspace).filter(({ origin }) => !jobs.has(origin.id)).map(({ origin }) => idle(origin))
    return [...jobs.values(), ...left].map(show)
  }

  async function agreed(id: string): Promise<HubOrigin> {
    const begun = listPartial(workspace).find(({ origin }) => origin.id === id)
    if (begun) return begun.origin
    const { problem, files, revision: at, licence, gated: closed } = await hubModel(account, id)
    if (problem) throw new AppError('model-unsupported', `Engram cannot use ${id}: ${problem}`)
    if (closed && account.token() === null) throw gated(account.endpoint(), id, false)
    const origin: HubOrigin = { format: 1, id, revision: at, licence, endpoint: account.endpoint(), files, startedAt: Date.now() }
    beginPartial(workspace, origin)
    return origin
  }

  function checkRoom(origin: HubOrigin): void {
    const needed = origin.files.reduce((sum, file) => sum + file.sizeBytes, 0) - arrivedBytes(workspace, origin) + MARGIN_BYTES
    const free = diskFree(workspace.models)
    if (needed > free) throw new AppError('disk-full', `${origin.id} needs ${gigabytes(needed)} in ${workspace.models} and ${gigabytes(free)} are free. Free some space, then try again.`)
  }

  async function bring(job: Job, lock: HeldLock): Promise<void> {
    const { origin, control: { signal } } = job
    const folder = partialFolder(workspace, origin.id)
    const request = createRequest(account, origin.id)
    try {
      for (const { name, sizeBytes } of origin.files) {
        const address = fileAddress(account.endpoint(), origin.id, origin.revision, name)
        await transfer({ request, address, path: join(folder, name), sizeBytes, signal, pace, onBytes: changed })
      }
      set(job, 'checking')
      await checkFiles(origin, folder)
      signal.throwIfAborted()
      finishPartial(workspace, origin.id)
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

  function locked(id: string): HeldLock {
    const lock = takeLock(partialLock(workspace, id))
    if (lock) return lock
    throw new AppError('workspace-busy', `Another Engram on this workspace is downloading ${id}.`)
  }
  const isActive = (id: string) => ['running', 'checking'].includes(jobs.get(id)?.state ?? '')

  async function stop(id: string): Promise<void> {
    const job = jobs.get(id)
    job?.control.abort()
    await job?.ended
  }

  return {
    /** Begins a download, or goes on with one. Resolves when it is under way. */
    async start({ id }: { id: string }): Promise<void> {
      if (isActive(id)) return
      if (existsSync(wholeFolder(workspace, id))) throw new AppError('bad-input', `${id} is on disk already.`)
      const origin = await agreed(id)
      checkRoom(origin)
      if (isActive(id)) return
      const lock = locked(id)
      const job: Job = { ...idle(origin), state: 'running', began: { at: Date.now(), bytes: arrivedBytes(workspace, origin) } }
      jobs.set(id, job)
      changed()
      job.ended = bring(job, lock)
    },
    pause: ({ id }: { id: string }): Promise<void> => stop(id),
    async cancel({ id }: { id: string }): Promise<void> {
      await stop(id)
      if (existsSync(partialFolder(workspace, id))) {
        const lock = locked(id)
        dropPartial(workspace, id)
        lock.release()
      }
      jobs.delete(id)
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
