import { type FileHandle, open } from 'node:fs/promises'
import { AppError } from '../../contract/errors'
import { diskError } from '../../store/atomic'
import { sizeOf } from '../../store/hubFolders'

export interface Pace { retryMs: number; stallMs: number }
export interface Transfer { request: typeof fetch; address: string; path: string; sizeBytes: number; signal: AbortSignal; pace: Pace; onBytes(): void }

const ATTEMPTS = 5
const TRANSIENT: readonly AppError['code'][] = ['hub-offline', 'hub-failed']

/**
 * Brings a file to disk from where an earlier attempt ended, and tries again while each attempt brings something or few have failed. The
 * library's own blob is not used: it hides what went wrong, and takes a whole answer for the rest where a server ignores ranges.
 */
export async function transfer(job: Transfer): Promise<void> {
  for (let failures = 0; sizeOf(job.path) !== job.sizeBytes;) {
    const before = sizeOf(job.path)
    try {
      await receive(job, before < job.sizeBytes ? before : 0)
      if (sizeOf(job.path) !== job.sizeBytes) throw cut(job)
    } catch (thrown) {
      const error = job.signal.aborted ? thrown : asDrop(thrown, job)
      if (!(error instanceof AppError) || !TRANSIENT.includes(error.code)) throw error
      failures = sizeOf(job.path) > before ? 1 : failures + 1
      if (failures >= ATTEMPTS) throw error
      await pause(job.pace.retryMs * 2 ** (failures - 1), job.signal)
    }
  }
}

async function receive({ request, address, path, sizeBytes, signal, pace, onBytes }: Transfer, from: number): Promise<void> {
  const stall = new AbortController()
  const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) }
  let timer = setTimeout(() => stall.abort(), pace.stallMs)
  try {
    const response = await request(address, { headers, signal: AbortSignal.any([signal, stall.signal]) })
    const goesOn = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`) === true
    const file = await open(path, goesOn ? 'a' : 'w')
    try {
      let room = sizeBytes - (goesOn ? from : 0)
      for await (const chunk of chunksOf(response)) {
        timer = restart(timer, () => stall.abort(), pace.stallMs)
        await write(file, chunk, path)
        onBytes()
        room -= chunk.length
        if (room < 0) throw new AppError('hub-failed', `${new URL(address).host} sends more of ${path} than it announced; look at the model there.`)
      }
      await file.sync()
    } finally {
      await file.close()
    }
  } finally {
    clearTimeout(timer)
  }
}

async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  try {
    for (;;) {
      const { done, value } = await reader?.read() ?? { done: true as const, value: undefined }
      if (done) return
      yield value
    }
  } finally {
    await reader?.cancel().catch(() => undefined)
  }
}

function restart(timer: NodeJS.Timeout, work: () => void, ms: number): NodeJS.Timeout {
  clearTimeout(timer)
  return setTimeout(work, ms)
}

async function write(file: FileHandle, chunk: Uint8Array, path: string): Promise<void> {
  try {
    await file.writeFile(chunk)
  } catch (thrown) {
    throw diskError(`write ${path}`, thrown)
  }
}

const cut = ({ address }: Transfer) => new AppError('hub-offline', `The connection to ${new URL(address).host} was lost; what has arrived is kept, and Resume goes on from there.`)

/** What `fetch` throws in the middle of a body says nothing that helps. */
function asDrop(thrown: unknown, job: Transfer): unknown {
  const ours = thrown instanceof AppError || (thrown as NodeJS.ErrnoException | null)?.syscall !== undefined
  return ours ? thrown : cut(job)
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
  }, { once: true })
})
