import { describe, expect, it } from 'vitest'
import { contract } from '../../src/main/contract/index'
import type { Contract, Handlers } from '../../src/main/contract/wire'
import { createAnswer, createOpenFeed } from '../../src/main/ipc/serve'
import { valid } from './inputs'

const endpoints = Object.entries(contract as Contract).flatMap(([group, names]) => Object.entries(names).map(([name, { kind }]) => ({ path: `${group}.${name}`, kind })))
const reached: string[] = []
const handlers = Object.fromEntries(Object.entries(contract as Contract).map(([group, names]) => [group, Object.fromEntries(Object.keys(names).map(name => [name, () => { reached.push(`${group}.${name}`) }]))])) as unknown as Handlers<typeof contract>
const answer = createAnswer(handlers)
const openFeed = createOpenFeed(handlers)

/** The code of the refusal, or "taken". */
async function refusal(path: string, kind: string, input: unknown): Promise<string> {
  if (kind === 'feed') return openFeed(path, input, () => {}).then(() => 'taken', (thrown: { code?: string }) => thrown.code ?? 'no code')
  const reply = await answer(path, input)
  return reply.ok ? 'taken' : reply.error.code
}

const LONG = 'x'.repeat(10_000_000)
const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
const cycle: unknown[] = []
cycle.push(cycle)
/** What no call or feed may take, whatever its schema. */
const garbage: [string, unknown][] = [
  ['null', null], ['a number', 7], ['NaN', Number.NaN], ['a truth', true], ['text', 'run-1'], ['a list', [{ run: 'run-1' }]], ['ten megabytes of text', LONG], ['a list of a million', Array.from({ length: 1_000_000 }, () => 0)],
  ['a map', new Map([['run', 'run-1']])], ['a set', new Set(['run-1'])], ['a date', new Date()], ['a pattern', /x/], ['a buffer', new ArrayBuffer(10_000_000)], ['bytes', new Uint8Array(10_000_000)], ['a blob', new Blob(['x'])],
  ['a cycle', cycle], ['a bigint', 7n], ['a function', () => 1], ['a symbol', Symbol('run')], ['endless nesting', nested(5000)], ['an object of another kind', Object.create({ run: 'run-1' })],
]

describe.each(endpoints)('$path', ({ path, kind }) => {
  it('refuses what is not its input', async () => {
    reached.length = 0
    for (const [name, input] of garbage) expect(await refusal(path, kind, input), name).toBe('bad-input')
    expect(reached).toEqual([])
  })

  it('refuses what is too large or not JSON beside a right input', async () => {
    const input = valid[path] ?? {}
    reached.length = 0
    for (const [name, extra] of [['text', LONG], ['bytes', new Uint8Array(8)], ['a map', new Map()], ['nesting', nested(100)]] as const) {
      expect(await refusal(path, kind, { ...(input as object), extra }), name).toBe('bad-input')
    }
    expect(reached).toEqual([])
  })
})

const hostile = ['../../etc/passwd', '/tmp/../etc/passwd', '~/../x', 'C:\\a\\..\\b', '/a\0b', `/${'a'.repeat(5000)}`, '']
const paths: [string, string, string[]][] = [
  ['models.add', 'path', ['models']], ['models.inspect', 'path', []], ['datasets.add', 'path', ['a/b']], ['datasets.preview', 'from', []], ['system.reveal', 'path', ['.']],
  ['exports.create', 'out', ['out']], ['evaluations.run', 'data', []], ['evaluations.predict', 'files', ['a.png']],
]
it.each(paths)('%s takes no path that climbs, hides a null, or depends on where the program runs', async (path, field, more) => {
  const listed = Array.isArray((valid[path] as Record<string, unknown>)[field])
  for (const one of [...hostile, ...more]) expect(await refusal(path, 'call', { ...(valid[path] as object), [field]: listed ? [one] : one }), one.slice(0, 40)).toBe('bad-input')
})

it('leaves no trace in the prototypes of main', async () => {
  for (const { path, kind } of endpoints) await refusal(path, kind, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"run":"run-1"}'))
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
