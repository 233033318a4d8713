import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/main/contract/errors'
import { contract } from '../../src/main/contract/index'
import type { Contract, Handlers } from '../../src/main/contract/wire'
import { createAnswer, createOpenFeed } from '../../src/main/ipc/serve'
import { valid } from './inputs'

const table: Contract = contract
const endpoints = Object.entries(table).flatMap(([group, calls]) => Object.entries(calls).map(([name, { kind }]) => ({ path: `${group}.${name}`, kind })))
const calls = endpoints.filter(({ kind }) => kind === 'call').map(({ path }) => path)
const feeds = endpoints.filter(({ kind }) => kind === 'feed').map(({ path }) => path)

/** Handlers that only note that they were reached, and with what. */
function recording(act: (path: string, input: unknown) => unknown = () => undefined) {
  const reached: { path: string; input: unknown }[] = []
  const handlers = Object.fromEntries(Object.entries(table).map(([group, names]) => [group, Object.fromEntries(Object.keys(names).map(name => [name, (input: unknown) => {
    reached.push({ path: `${group}.${name}`, input })
    return act(`${group}.${name}`, input)
  }]))])) as unknown as Handlers<typeof contract>
  return { reached, answer: createAnswer(handlers), openFeed: createOpenFeed(handlers) }
}

describe('requests', () => {
  it.each(calls)('%s reaches its handler', async path => {
    const { reached, answer } = recording(() => 'value')
    expect(await answer(path, valid[path])).toEqual({ ok: true, value: 'value' })
    expect(reached.map(one => one.path)).toEqual([path])
  })

  it.each([
    'runs.__proto__', '__proto__.toString', 'constructor.name', 'runs.constructor', 'runs.hasOwnProperty', 'toString', '', '.', 'runs.', '.list', 'runs.list.x', 'runs.watch',
    'runs.nothing', 'x'.repeat(1_000_000), null, undefined, 7, {}, [], ['runs', 'list'], { toString: () => 'runs.list' }, Symbol('x'),
  ])('the path %s names nothing', async path => {
    const { reached, answer, openFeed } = recording()
    expect(await answer(path, undefined)).toMatchObject({ ok: false, error: { code: 'bad-input' } })
    if (path !== 'runs.watch') await expect(openFeed(path, undefined, () => {})).rejects.toMatchObject({ code: 'bad-input' })
    expect(reached).toEqual([])
  })

  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const malformed: [string, unknown][] = [
    ['null', null], ['a number', 7], ['text', 'x'], ['a list', []], ['an empty object', {}], ['a cycle', cycle], ['a bigint', 7n], ['a function', () => 1], ['two megabytes', { run: 'x'.repeat(2 << 20) }],
    ['a path as id', { run: '../../etc/passwd' }], ['an absolute path as id', { run: '/etc/passwd' }], ['a null byte', { run: 'run\0' }], ['an object as id', { run: { toString: 1 } }],
    ['a prototype', JSON.parse('{"__proto__":{"run":"run-1"}}')], ['capitals', { run: 'RUN-1' }], ['an endless id', { run: 'a'.repeat(500) }],
  ]
  const wantRun = calls.filter(path => typeof valid[path] === 'object' && 'run' in (valid[path] as object))
  it.each(malformed)('with %s are refused before any handler', async (_, input) => {
    const { reached, answer } = recording()
    for (const path of wantRun) expect(await answer(path, input), path).toMatchObject({ ok: false, error: { code: 'bad-input' } })
    expect(reached).toEqual([])
  })

  it('that take nothing refuse something', async () => {
    const { answer } = recording()
    expect(await answer('runs.list', { a: 1 })).toMatchObject({ ok: false })
    expect(await answer('runs.list', undefined)).toMatchObject({ ok: true })
  })

  it('lose keys that the schema does not know', async () => {
    const { reached, answer } = recording()
    await answer('runs.stop', { run: 'run-1', extra: true })
    expect(reached[0]!.input).toEqual({ run: 'run-1' })
  })

  it('that change a setting say nothing of the others', async () => {
    const { reached, answer } = recording()
    await answer('settings.set', { scale: 1.1 })
    expect(reached[0]!.input).toEqual({ scale: 1.1 })
    expect(await answer('settings.set', { scale: 9 })).toMatchObject({ ok: false, error: { code: 'bad-input', field: 'scale' } })
  })

  it('answer errors as values', async () => {
    const failing = (thrown: unknown) => recording(() => { throw thrown }).answer('runs.list', undefined)
    expect(await failing(new AppError('run-busy', 'Busy.', { hint: 'Wait.', field: 'run' }))).toEqual({ ok: false, error: { code: 'run-busy', message: 'Busy.', hint: 'Wait.', field: 'run' } })
    const silent = console.error
    console.error = () => {}
    expect(await failing(new TypeError('undefined is not a function'))).toEqual({ ok: false, error: { code: 'internal', message: 'undefined is not a function' } })
    expect(await failing('text')).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(await failing(undefined)).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(await recording(async () => { throw new AppError('cancelled', 'Later.') }).answer('runs.list', undefined)).toMatchObject({ error: { code: 'cancelled' } })
    console.error = silent
    expect(await failing(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toMatchObject({ error: { code: 'disk-full' } })
  })

  it('survive random JSON', async () => {
    const { answer } = recording()
    let seed = 1
    const random = (below: number) => (seed = (seed * 48271) % 0x7fffffff) % below
    const anything = (depth: number): unknown => [null, true, random(1000), -1.5, 'text', '', 'run-1', undefined][random(8)] ?? (depth > 3 ? null
      : random(2) ? Array.from({ length: random(4) }, () => anything(depth + 1)) : Object.fromEntries(Array.from({ length: random(4) }, () => [['run', 'path', 'id', 'step', 'runs', 'as', 'out', 'from', 'constructor'][random(9)]!, anything(depth + 1)])))
    for (let round = 0; round < 40; round++) for (const path of calls) expect(typeof (await answer(path, anything(0))).ok).toBe('boolean')
  })
})

describe('feeds', () => {
  it.each(feeds)('%s opens with its input and closes', async path => {
    let closed = 0
    const { reached, openFeed } = recording(() => () => { closed++ })
    const close = await openFeed(path, valid[path], () => {})
    close()
    expect(closed).toBe(1)
    expect(reached.map(one => one.path)).toEqual([path])
  })

  it('refuse wrong inputs and calls', async () => {
    const { openFeed } = recording()
    await expect(openFeed('runs.watch', { run: '../x' }, () => {})).rejects.toMatchObject({ code: 'bad-input' })
    await expect(openFeed('runs.watch', { run: 'run-1', after: -2 }, () => {})).rejects.toMatchObject({ code: 'bad-input' })
    await expect(openFeed('runs.list', undefined, () => {})).rejects.toMatchObject({ code: 'bad-input' })
  })
})
