import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SetupError, progress } from './log.mjs'

const ATTEMPTS = 5
const STALL = 60_000

/** Downloads to `file` by way of `file.part`, continuing where an earlier attempt broke off. */
export async function download(url, file, { sha256, headers = {}, label }) {
  const part = `${file}.part`
  for (let attempt = 1; ; attempt++) {
    try {
      await continueDownload(url, part, headers, label)
      break
    } catch (error) {
      if (attempt === ATTEMPTS || error.permanent) throw error
    }
  }
  if ((await sha256Of(part)) !== sha256) {
    rmSync(part)
    throw new SetupError(`${url} has a wrong sha256`)
  }
  renameSync(part, file)
}

async function continueDownload(url, part, headers, label) {
  const have = statSync(part, { throwIfNoEntry: false })?.size ?? 0
  const stall = new AbortController()
  const range = have > 0 ? { range: `bytes=${have}-` } : {}
  const response = await request(url, { headers: { ...headers, ...range }, signal: stall.signal })
  // 416: the part already holds everything; the checksum tells whether that is so.
  if (response.status === 416) return
  const resumed = response.status === 206
  let done = resumed ? have : 0
  const bar = progress(label, done + Number(response.headers.get('content-length') ?? 0))
  let timer = setTimeout(() => stall.abort(), STALL)
  const watch = async function* (source) {
    for await (const chunk of source) {
      clearTimeout(timer)
      timer = setTimeout(() => stall.abort(), STALL)
      bar.update((done += chunk.length))
      yield chunk
    }
  }
  try {
    const sink = createWriteStream(part, { flags: resumed ? 'a' : 'w' })
    await pipeline(Readable.fromWeb(response.body), watch, sink)
  } finally {
    clearTimeout(timer)
    bar.end()
  }
}

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
