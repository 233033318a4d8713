import { contract } from '../contract/index'
import { AppError, toErrorValue } from '../contract/errors'
import { parseOrThrow } from '../contract/parse'
import type { Call, Contract, Feed, Handlers, Reply } from '../contract/wire'
import { plainSize } from './plain'

/** A recipe is a few kilobytes; nothing that the window sends is near this. */
const LARGEST_INPUT_BYTES = 1 << 20

/** Answers one request of the window. Never throws: errors are values. */
export type Answer = (path: unknown, input: unknown) => Promise<Reply>
/** Opens a feed; throws an AppError where the path or the input is wrong. */
export type OpenFeed = (path: unknown, input: unknown, emit: (events: unknown[]) => void) => Promise<() => void>

export function createAnswer(handlers: Handlers<typeof contract>): Answer {
  return async (path, input) => {
    try {
      const { endpoint, handler } = endpointAt(handlers, path, 'call')
      const parsed = parseInput(endpoint, input, String(path))
      return { ok: true, value: await (handler as (input: unknown) => unknown)(parsed) }
    } catch (thrown) {
      return { ok: false, error: reported(thrown) }
    }
  }
}

export function createOpenFeed(handlers: Handlers<typeof contract>): OpenFeed {
  return async (path, input, emit) => {
    const { endpoint, handler } = endpointAt(handlers, path, 'feed')
    const parsed = parseInput(endpoint, input, String(path))
    return (handler as (input: unknown, emit: (events: unknown[]) => void) => Promise<() => void>)(parsed, emit)
  }
}

/** A defect is worth its stack in the terminal; the window gets the sentence. */
export function reported(thrown: unknown) {
  const value = toErrorValue(thrown)
  if (value.code === 'internal') console.error(thrown)
  return value
}

/** Own properties only: `runs.__proto__` or `constructor.name` name nothing. */
function own(table: object, name: string): unknown {
  return Object.hasOwn(table, name) ? (table as Record<string, unknown>)[name] : undefined
}

function endpointAt(handlers: object, path: unknown, kind: 'call' | 'feed'): { endpoint: Call | Feed; handler: unknown } {
  const parts = typeof path === 'string' && path.length < 100 ? path.split('.') : []
  const [group = '', name = ''] = parts
  const table: Contract = contract
  const endpoints = parts.length === 2 ? own(table, group) : undefined
  const endpoint = endpoints ? own(endpoints, name) as Call | Feed | undefined : undefined
  if (endpoint?.kind !== kind) throw new AppError('bad-input', `There is no ${kind} ${typeof path === 'string' ? `"${path.slice(0, 60)}"` : 'of this name'}.`)
  return { endpoint, handler: own(own(handlers, group) as object, name) }
}

function parseInput(endpoint: Call | Feed, input: unknown, path: string): unknown {
  if (plainSize(input, LARGEST_INPUT_BYTES) > LARGEST_INPUT_BYTES) throw new AppError('bad-input', `${path}: the input is no plain JSON, or larger than ${LARGEST_INPUT_BYTES >> 20} MiB.`)
  return parseOrThrow(endpoint.input, input, path)
}
