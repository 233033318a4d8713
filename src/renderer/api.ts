import type { ErrorValue } from '@contract/errors'
import type { Api } from '@contract/index'
import type { Reply } from '@contract/wire'

/** What the preload exposes; ports of feeds arrive as window messages `{ engramFeed: id }`. */
export interface Bridge {
  pathOf(file: File): string
  invoke(path: string, input: unknown): Promise<Reply>
  subscribe(path: string, input: unknown): string
}
type FeedMessage = { events: unknown[] } | { error: ErrorValue }

/** A request that main answered with an error value; views choose their action by `value.code`. */
export class RequestError extends Error {
  constructor(readonly value: ErrorValue) {
    super(value.message)
    this.name = 'RequestError'
  }
}

/** Any thrown thing as the value an error row shows. */
export function errorValue(thrown: unknown): ErrorValue {
  if (thrown instanceof RequestError) return thrown.value
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

/** For what a person may cancel: nothing, where they did. */
export function unlessCancelled(thrown: unknown): undefined {
  if (!(thrown instanceof RequestError && thrown.value.code === 'cancelled')) throw thrown
}

const waiting = new Map<string, (port: MessagePort) => void>()
const feedErrors = new Map<string, ErrorValue>()
const feedErrorListeners = new Set<(error: ErrorValue | null) => void>()

/** Feeds have no reply to carry an error, so the newest is told here; null once whoever listened to such a feed has left. */
export const onFeedError = (listener: (error: ErrorValue | null) => void) => feedErrorListeners.add(listener)

function tellFeedError(): void {
  const newest = [...feedErrors.values()].at(-1) ?? null
  for (const listener of feedErrorListeners) listener(newest)
}

window.addEventListener('message', event => {
  const id: unknown = (event.data as { engramFeed?: unknown } | null)?.engramFeed
  const port = event.ports[0]
  if (typeof id !== 'string' || !port) return
  waiting.get(id)?.(port)
  waiting.delete(id)
})

// Reactive proxies cannot cross the context bridge, and inputs are plain JSON anyway.
const plain = (input: unknown): unknown => input === undefined ? undefined : JSON.parse(JSON.stringify(input))

async function invoke(path: string, input: unknown): Promise<unknown> {
  const reply = await window.engram.invoke(path, plain(input))
  if (reply.ok) return reply.value
  throw new RequestError(reply.error)
}

function subscribe(path: string, input: unknown, on: (events: unknown[]) => void): () => void {
  let open: MessagePort | null = null
  let closed = false
  const id = window.engram.subscribe(path, plain(input))
  waiting.set(id, port => {
    if (closed) { port.close(); return }
    open = port
    port.onmessage = (message: MessageEvent<FeedMessage>) => {
      if ('events' in message.data) on(message.data.events)
      else {
        feedErrors.set(id, message.data.error)
        tellFeedError()
      }
    }
  })
  return () => {
    closed = true
    open?.close()
    if (feedErrors.delete(id)) tellFeedError()
  }
}

const group = (name: string) => new Proxy({}, {
  get: (_, call) => (input: unknown, on?: (events: unknown[]) => void) => {
    const path = `${name}.${String(call)}`
    return on ? subscribe(path, input, on) : invoke(path, input)
  },
})

/** Every call and feed of the contract, typed; nothing is known here of the single ones. */
export const api = new Proxy({}, { get: (_, name) => group(String(name)) }) as Api
