import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contract } from '../../src/main/contract/index'
import type { Contract } from '../../src/main/contract/wire'
import { createAnswer, createOpenFeed } from '../../src/main/ipc/serve'
import { createServices, nodeFork } from '../../src/main/services/index'
import { saveCheckpoint } from '../../src/main/store/checkpoints'
import { openWorkspace } from '../../src/main/store/paths'
import { openRunStore } from '../../src/main/store/runStore'
import { valid } from '../contract/inputs'
import { bundle } from './bundle'
import { draftOf, temporaryFolder } from './fixtures'

const shown = vi.fn()
vi.mock('electron', () => ({
  nativeTheme: {}, shell: { showItemInFolder: (path: string) => { shown(path) } }, dialog: { showOpenDialog: async () => ({ filePaths: [] }) },
}))
const { createHandlers } = await import('../../src/main/ipc/handlers')

const endpoints = Object.entries(contract as Contract).flatMap(([group, names]) => Object.entries(names).map(([name, { kind }]) => ({ path: `${group}.${name}`, kind })))
let trainer: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => { trainer = await bundle('tests/main/fakeTrainer.ts') })
afterAll(() => trainer.remove())

/** The window's whole line to main, over real services and a workspace with one run. */
function line() {
  const folder = temporaryFolder(), resources = join(folder, 'resources')
  mkdirSync(join(resources, 'samples/backbones'), { recursive: true })
  const workspace = openWorkspace(join(folder, 'workspace'))
  const store = openRunStore(workspace)
  const { id: run } = store.create(draftOf('kept')).manifest
  store.close()
  const services = createServices({ workspace: workspace.root, resources, version: '1', fork: nodeFork(trainer.path), hub: { env: { HF_ENDPOINT: 'http://127.0.0.1:9' } } })
  onTestFinished(() => services.close())
  const handlers = createHandlers(services, {} as never)
  return { folder, workspace, run, answer: createAnswer(handlers), openFeed: createOpenFeed(handlers) }
}

const evil: unknown[] = [
  null, '', ' ', '\0', '../../etc/passwd', '/etc/passwd', '/proc/self/mem', '/dev/zero', '~', 'constructor', '__proto__', "'; drop table runs; --", '%', '*', '\u202e\ud800', 'x'.repeat(4096),
  -1, 0.5, 1e308, Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY, true, [], {}, [null], { toString: 1 },
]

/** The value with each of its leaves, one at a time, made evil; and each of its keys left out. */
function* twisted(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) { yield* evil; return }
  for (const [key, inner] of Object.entries(value)) {
    const rest = Object.entries(value).filter(([name]) => name !== key)
    if (!Array.isArray(value)) yield Object.fromEntries(rest)
    for (const bad of twisted(inner)) yield Array.isArray(value) ? value.map((one: unknown, at) => at === Number(key) ? bad : one) : { ...value, [key]: bad }
  }
}

describe('services behind a hostile page', () => {
  it('answer every twisted input with a value or a sentence, and go on', async () => {
    const { answer, openFeed, run, workspace } = line()
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const before = readFileSync(join(workspace.runs, run, 'run.json'), 'utf8')
    const defects: string[] = []
    let asked = 0
    for (const { path, kind } of endpoints) {
      // The one run that is there, so that handlers come as far as they can.
      const input: unknown = valid[path] === undefined ? undefined : JSON.parse(JSON.stringify(valid[path]).replaceAll('run-1', run))
      if (path === 'runs.remove' || input === undefined) continue
      for (const bad of twisted(input)) {
        const error = kind === 'feed'
          ? await openFeed(path, bad, () => {}).then(close => { close(); return null }, (thrown: { code?: string; message: string }) => ({ code: thrown.code ?? 'internal', message: thrown.message }))
          : await answer(path, bad).then(reply => reply.ok ? null : reply.error)
        asked++
        if (error?.code === 'internal') defects.push(`${path} ${JSON.stringify(bad).slice(0, 200)}: ${error.message}`)
      }
    }
    expect(asked).toBeGreaterThan(1000)
    expect([...new Set(defects)]).toEqual([])
    expect(logged).not.toHaveBeenCalled()
    expect(readFileSync(join(workspace.runs, run, 'run.json'), 'utf8')).toBe(before)
    expect(await answer('runs.list', undefined)).toMatchObject({ ok: true, value: [{ id: run }] })
    logged.mockRestore()
  })

  it('refuse a sweep that would fill the memory before it is spread out', async () => {
    const { answer } = line()
    const axes = Array.from({ length: 6 }, (_, at) => ({ kind: 'range', field: `train.f${at}`, from: 0, to: 1, count: 100 }))
    expect(await answer('queue.sweep', { recipe: {}, sweep: { search: 'grid', axes } })).toMatchObject({ ok: false, error: { code: 'bad-input', message: /at most 500/ } })
  })

  it('plan absurd recipes without working for them', async () => {
    const { answer } = line()
    const recipe = { backbone: { from: resolve('tests/fixtures/reference/timm-vit-cls/model'), imageSize: 1e9 }, data: { from: '/dev/zero' }, method: { type: 'lora', rank: 1e9 }, train: { epochs: 1e12, batchSize: 1e12 } }
    expect(await answer('runs.plan', recipe)).toMatchObject({ ok: true })
    expect(await answer('runs.start', recipe)).toMatchObject({ ok: false })
  })
})

describe('files', () => {
  it('of other programs are not shown', async () => {
    const { answer, folder, workspace, run } = line()
    mkdirSync(join(folder, 'exported'))
    writeFileSync(join(folder, 'exported/verification.json'), '{}')
    symlinkSync('/etc', join(workspace.root, 'link'))
    for (const path of ['/etc/passwd', '/', folder, join(workspace.root, 'link')]) expect(await answer('system.reveal', { path }), path).toMatchObject({ ok: false, error: { code: 'bad-input' } })
    expect(shown).not.toHaveBeenCalled()
    for (const path of [workspace.root, join(workspace.runs, run), join(folder, 'exported')]) expect(await answer('system.reveal', { path }), path).toMatchObject({ ok: true })
    expect(shown).toHaveBeenCalledTimes(3)
  })

  it('of the workspace are not written over by exports', async () => {
    const { answer, folder, workspace, run } = line()
    saveCheckpoint(join(workspace.runs, run), { step: 10, epoch: 1, files: {}, metrics: {}, best: true })
    symlinkSync(workspace.runs, join(folder, 'elsewhere'))
    const taken = readdirSync(workspace.runs)
    for (const out of [join(workspace.runs, 'planted'), join(workspace.runs, run, 'checkpoints/step-000011'), join(workspace.cache, 'x'), join(folder, 'elsewhere/planted'), join(workspace.runs, run, 'run.json/x/y')]) {
      const reply = await answer('exports.create', { run, as: 'merged', out, checkpoint: 10 })
      expect(reply, out).toMatchObject({ ok: false, error: { code: 'bad-input', field: 'out' } })
    }
    expect(readdirSync(workspace.runs)).toEqual(taken)
  })
})
