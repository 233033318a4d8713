import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AppError } from '../../src/main/contract/errors'
import type { RunEvent } from '../../src/main/contract/run'
import { findCheckpoint } from '../../src/main/store/checkpoints'
import { readEvents } from '../../src/main/store/eventLog'
import { trainerLog } from '../../src/main/store/runFolder'
import { openRunStore } from '../../src/main/store/runStore'
import { nodeFork } from '../../src/main/worker/fork'
import { createHost, type Host, type TrainerOptions } from '../../src/main/worker/host'
import { bundle } from './bundle'
import { draftOf, temporaryWorkspace } from './fixtures'

let host: Host
let trainer: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  trainer = await bundle('tests/main/fakeTrainer.ts')
  host = createHost(nodeFork(trainer.path))
})
afterAll(() => trainer.remove())

function run(name: string) {
  const workspace = temporaryWorkspace()
  const store = openRunStore(workspace)
  const { folder, manifest } = store.create(draftOf(name))
  const train = (options: TrainerOptions = {}, resume = false) =>
    host.start({ kind: 'train', input: { runFolder: folder, workspace: workspace.root, resume } }, options)
  return { folder, train, card: () => store.card(manifest.id) }
}
const errorOf = (promise: Promise<unknown>) => promise.then(() => { throw new Error('it did not fail') }, (error: AppError) => error)
const weight = (folder: string) => findCheckpoint(folder, 'last').state.trainer['weight']

describe('a trainer', () => {
  it('trains a run, tells its events and leaves a finished run', async () => {
    const { folder, train, card } = run('plain')
    const events: RunEvent[] = []
    let device = ''
    const result = await train({ onEvent: event => events.push(event), onReady: name => { device = name } })
    expect(result).toEqual({ ended: 'finished', step: 40 })
    expect(device).toBe('fake')
    expect(events).toEqual(readEvents(folder))
    expect(card()).toMatchObject({ status: 'finished', step: 40, resumeStep: null })
  })

  it('is one per run', async () => {
    const { train, card } = run('slow')
    const stop = new AbortController()
    const first = train({ signal: stop.signal })
    expect(card().status).toBe('queued')
    await expect(train()).rejects.toThrow(/is being trained by process/)
    stop.abort()
    expect(await first).toMatchObject({ ended: 'stopped' })
    expect(card().status).toBe('stopped')
  })

  it('waits its turn; stopped in the line, it never began', async () => {
    const [a, b, c] = [run('slow'), run('plain'), run('plain')]
    const [stopA, stopC] = [new AbortController(), new AbortController()]
    const first = a.train({ signal: stopA.signal, onEvent: event => { if (event.event === 'step' && event.step === 3) stopA.abort() } })
    const second = b.train()
    const third = errorOf(c.train({ signal: stopC.signal }))
    expect([b.card().status, c.card().status]).toEqual(['queued', 'queued'])
    stopC.abort()
    expect((await third).code).toBe('cancelled')
    expect(c.card()).toMatchObject({ status: 'stopped', resumeStep: 0 })
    expect(await first).toMatchObject({ ended: 'stopped' })
    expect(await second).toMatchObject({ ended: 'finished' })
  })

  it('stops on request with a checkpoint, and a resumed run comes to the same weights', async () => {
    const whole = run('plain')
    await whole.train()
    const { folder, train, card } = run('slow')
    const stop = new AbortController()
    const result = await train({ signal: stop.signal, onEvent: event => { if (event.event === 'step' && event.step === 7) stop.abort() } })
    expect(result.ended).toBe('stopped')
    expect(card().resumeStep).toBe(result.step)
    expect(await train({}, true)).toEqual({ ended: 'finished', step: 40 })
    expect(weight(folder)).toBe(weight(whole.folder))
    const events = readEvents(folder)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index))
    expect(events.filter(({ event }) => event === 'started')).toHaveLength(2)
  })

  it('that does not heed a stop is killed after the grace period', async () => {
    const stop = new AbortController()
    const { train, card } = run('hang')
    const result = train({ signal: stop.signal, graceMs: 300, onEvent: event => { if (event.event === 'step' && event.step === 25) stop.abort() } })
    const error = await errorOf(result)
    expect(error.code).toBe('trainer-died')
    expect(card()).toMatchObject({ status: 'interrupted', resumeStep: 20 })
  })

  it.each([
    ['abort', 'trainer-died', /SIGABRT/, 'interrupted'],
    ['kill', 'trainer-died', /SIGKILL/, 'interrupted'],
    ['exit', 'trainer-died', /code 3/, 'interrupted'],
    ['memory', 'out-of-memory', /memory did not suffice/, 'failed'],
    ['native-memory', 'out-of-memory', /ran out of memory/, 'failed'],
    ['app-error', 'dataset-unreadable', /cannot be read/, 'failed'],
    ['defect', 'internal', /not a function/, 'failed'],
    ['later', 'internal', /thrown in a timer/, 'failed'],
  ] as const)('that ends by %s is told as %s, and the run can go on', async (how, code, words, status) => {
    const { folder, train, card } = run(how)
    const error = await errorOf(train())
    expect(error.code).toBe(code)
    expect(error.message).toMatch(words)
    expect(card()).toMatchObject({ status, resumeStep: 20, error: { code } })
    expect(readEvents(folder).at(-1)).toMatchObject({ event: 'failed', error: { code } })
    if (how === 'native-memory') expect(readFileSync(trainerLog(folder), 'utf8')).toContain('bad_alloc')
  })

  it('answers other jobs with progress, and can be asked to stop them', async () => {
    const seen: string[] = []
    const input = { runFolder: null, checkpoint: 'best' as const, model: '/m', workspace: '/w', files: ['a.png', 'b.png'], withBase: false, skipBroken: false }
    const predictions = await host.start({ kind: 'predict', input }, { onProgress: ({ message }) => seen.push(message) })
    expect(predictions.map(({ file }) => file)).toEqual(['a.png', 'b.png'])
    expect(seen).toContain('b.png')
    const stop = new AbortController()
    const slow = host.start({ kind: 'predict', input: { ...input, files: ['slow'] } }, { signal: stop.signal, graceMs: 200, onProgress: () => stop.abort() })
    expect((await errorOf(slow)).code).toBe('trainer-died')
    expect((await errorOf(host.start({ kind: 'logits', input: { model: '', adapter: null, input: '', output: '' } }))).message).toContain('cannot logits')
  })
})
