import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SetupError, progress } from './log.mjs'

const ATTEMPTS = 5
const STALL = 60_000

/**
 * Downloads to `file` by way of `file.part`, continuing where an earlier attempt broke off. `patience` is how long the
 * first answer may take; after it, a minute without a byte counts as broken off.
 */
export async function download(url, file, { sha256, headers = {}, label, patience = STALL }) {
  const part = `${file}.part`
  const continued = sizeOf(part) > 0
  for (let attempt = 1; ; attempt++) {
    const have = sizeOf(part)
    try {
      await continueDownload(url, part, { headers, label, patience })
      break
    } catch (error) {
      const moved = sizeOf(part) > have
      if (attempt === ATTEMPTS || error.permanent || !moved) throw error
    }
  }
  if (sha256 && (await sha256Of(part)) !== sha256) {
    rmSync(part)
    // What was there already may have been the broken half.
    if (continued) return download(url, file, { sha256, headers, label, patience })
    throw new SetupError(`${url} has a wrong sha256`)
  }
  renameSync(part, file)
}

async function continueDownload(url, part, { headers, label, patience }) {
  const have = sizeOf(part)
  const range = have > 0 ? { range: `bytes=${have}-` } : {}
  const stall = stallGuard(patience)
  try {
    const response = await request(url, { headers: { ...headers, ...range }, signal: stall.signal })
    // 416: the part already holds everything; the checksum tells whether that is so.
    if (response.status === 416) return
    const resumed = response.status === 206
    const received = countBytes(response, resumed ? have : 0, { label, stall })
    await pipeline(Readable.fromWeb(response.body), received, createWriteStream(part, { flags: resumed ? 'a' : 'w' }))
  } finally {
    stall.end()
  }
}

/** Passes a body on, showing its progress and keeping the stall guard quiet. */
function countBytes(response, before, { label, stall }) {
  const length = Number(response.headers.get('content-length') ?? 0)
  const bar = progress(label, length && before + length)
  return async function* (source) {
    let done = before
    for await (const chunk of source) {
      stall.reset(STALL)
      bar.update((done += chunk.length))
      yield chunk
    }
    bar.end()
  }
}

function stallGuard(milliseconds) {
  const controller = new AbortController()
  let timer
  const reset = (time) => {
    clearTimeout(timer)
    timer = setTimeout(() => controller.abort(new Error('no answer')), time)
  }
  reset(milliseconds)
  return { signal: controller.signal, reset, end: () => clearTimeout(timer) }
}

const sizeOf = (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** fetch with the proxy of the environment, redirects followed, and errors that name the address and the cause. */
export async function request(url, options = {}) {
  await useProxy()
  let response
  try {
    response = await fetch(url, options)
  } catch (error) {
    throw new SetupError(`${url} is not reachable (${error.cause?.code ?? error.cause?.message ?? error.message})`)
  }
  if (response.ok || response.status === 416) return response
  const failure = new SetupError(`${url} answers ${response.status} ${response.statusText}`)
  throw Object.assign(failure, { permanent: response.status < 500 && response.status !== 429 })
}

/** Node 20's own fetch knows no HTTP(S)_PROXY; undici's agent for them serves it too. */
export async function useProxy() {
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']
  if (!names.some((name) => process.env[name])) return
  const { EnvHttpProxyAgent, setGlobalDispatcher } = await import('undici')
  setGlobalDispatcher(new EnvHttpProxyAgent())
}

export async function sha256Of(file) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}
