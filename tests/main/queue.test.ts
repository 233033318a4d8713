import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { JobProgress } from '../../src/main/contract/progress'
import type { QueueState } from '../../src/main/contract/queue'
import { createServices, nodeFork } from '../../src/main/services/index'
import { findLanes } from '../../src/main/services/lanes'
import { place } from '../../src/main/store/queueFile'
import { readEvents } from '../../src/main/store/eventLog'
import { enterLane } from '../../src/main/store/laneLock'
import { takeLock } from '../../src/main/store/processLock'
import { bundle } from './bundle'
import { temporaryFolder } from './fixtures'

const MODEL = resolve('tests/fixtures/reference/timm-vit-cls/model')
let trainer: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => { trainer = await bundle('tests/main/fakeTrainer.ts') })
afterAll(() => trainer.remove())

function bench(lanes = ['cpu']) {
  const folder = temporaryFolder()
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, 'data/train', name), { recursive: true })
    for (const image of [1, 2, 3]) writeFileSync(join(folder, 'data/train', name, `${image}.png`), '')
  }
  const open = (ids = lanes) => {
    const services = createServices({
      workspace: join(folder, 'workspace'), resources: join(folder, 'resources'), version: '1', fork: nodeFork(trainer.path),
      lanes: async () => ids.map(id => ({ id, device: id, lock: id, environment: { ENGRAM_TEST_LANE: id } })),
    })
    onTestFinished(() => services.close())
    return services
  }
  /** The fake trainer does what the name says. */
  const recipe = (name: string) => ({ name, backbone: { from: MODEL }, data: { from: join(folder, 'data') }, method: { type: 'ssf' } })
  return { folder, open, recipe }
}
type Services = ReturnType<typeof createServices>

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`waited in vain until ${what}`)
}
const statusOf = (services: Services, run: string) => services.runs.show({ run }).card.status
const waiting = async (services: Services, lane = 'cpu') => (await services.queue.list()).lanes.find(({ id }) => id === lane)!.waiting

describe('a lane', () => {
  it('trains one run after the other, and a failing one does not stop it', async () => {
    const { open, recipe } = bench()
    const services = open()
    const { runs } = await services.queue.add({ recipes: ['plain', 'app-error', 'abort', 'plain'].map(recipe) })
    await until(async () => (await services.queue.list()).lanes[0]!.running === null, 'the lane is done')
    expect(runs.map(run => statusOf(services, run))).toEqual(['finished', 'failed', 'interrupted', 'finished'])
    const begun = runs.map(run => services.runs.show({ run }).card.updatedAt)
    expect([...begun].sort((a, b) => a - b)).toEqual(begun)
  })

  it('freezes every recipe when it is added, and adds none if one is wrong', async () => {
    const { open, recipe } = bench()
    const services = open()
    await expect(services.queue.add({ recipes: [recipe('plain'), { ...recipe('plain'), train: { epochs: 0 } }] })).rejects.toThrow(/^Run 2 of 2: .*train\.epochs.*None was queued/)
    expect(services.runs.list()).toEqual([])
    const { runs } = await services.queue.add({ recipes: [recipe('slow')], origin: { sweep: 's1' } })
    expect(services.runs.show({ run: runs[0]! }).manifest.origin).toEqual({ sweep: 's1' })
    expect(services.runs.show({ run: runs[0]! }).card.origin).toEqual({ sweep: 's1' })
  })

  it('is reordered, paused and gone on with, and tells it', async () => {
    const { open, recipe } = bench()
    const services = open()
    const told: QueueState[] = []
    onTestFinished(services.queue.watch(undefined, states => told.push(...states)))
    await services.queue.pause({ lane: 'cpu', paused: true })
    const { runs: [a, b, c] } = await services.queue.add({ recipes: ['plain', 'plain', 'plain'].map(recipe) })
    await services.queue.move({ run: c!, position: 0 })
    await services.queue.move({ run: a!, position: 99 })
    expect(await waiting(services)).toEqual([c, b, a])
    expect([a, b, c].map(run => statusOf(services, run!))).toEqual(['queued', 'queued', 'queued'])
    services.queue.remove({ runs: [b!] })
    expect(statusOf(services, b!)).toBe('stopped')
    await services.queue.pause({ lane: 'cpu', paused: false })
    await until(() => statusOf(services, a!) === 'finished', 'the last has finished')
    expect(services.runs.show({ run: c! }).card.updatedAt).toBeLessThan(services.runs.show({ run: a! }).card.updatedAt)
    expect(statusOf(services, b!)).toBe('stopped')
    await until(() => told.at(-1)?.lanes[0]!.running === null && told.at(-1)?.lanes[0]!.waiting.length === 0, 'the feed has told the end')
    expect(told.some(state => state.lanes[0]!.paused && state.lanes[0]!.waiting.length === 3)).toBe(true)
    await expect(services.queue.move({ run: a!, position: 0 })).rejects.toMatchObject({ code: 'run-state' })
    await expect(services.queue.pause({ lane: 'gpu7', paused: true })).rejects.toThrow(/no lane gpu7 on this machine; there is cpu/)
  })

  it('lets a resumed run come next, and forgets one that is removed', async () => {
    const { open, recipe } = bench()
    const services = open()
    const { runs: [first, second] } = await services.queue.add({ recipes: ['slow', 'slow'].map(recipe) })
    await until(() => services.runs.show({ run: first! }).card.step > 3, 'the first is under way')
    services.runs.stop({ run: first! })
    await until(() => statusOf(services, first!) === 'stopped', 'it has stopped')
    const { runs: [third] } = await services.queue.add({ recipes: [recipe('plain')] })
    await services.runs.resume({ run: first! })
    expect(await waiting(services)).toEqual([first, third])
    await expect(services.runs.resume({ run: first! })).rejects.toMatchObject({ code: 'run-busy' })
    services.runs.remove({ run: third! })
    expect(await waiting(services)).toEqual([first])
    services.runs.stop({ run: second! })
    await until(() => statusOf(services, first!) === 'finished', 'it went on to its end')
  })

  it('is paused by what would fail the runs after it too', async () => {
    const { open, recipe } = bench()
    const services = open()
    const { runs: [bad, good] } = await services.queue.add({ recipes: ['disk-full', 'plain'].map(recipe) })
    await until(() => statusOf(services, bad!) === 'failed', 'it has failed')
    await until(async () => (await services.queue.list()).lanes[0]!.paused, 'the lane is paused')
    expect((await services.queue.list()).lanes[0]).toMatchObject({ why: expect.stringMatching(/disk is full/), waiting: [good] })
    await services.queue.pause({ lane: 'cpu', paused: false })
    await until(() => statusOf(services, good!) === 'finished', 'the next has finished')
  })

  it('fails a run whose backbone has changed since it was queued', async () => {
    const { folder, open, recipe } = bench()
    const services = open()
    await services.queue.pause({ lane: 'cpu', paused: true })
    const { runs: [run] } = await services.queue.add({ recipes: [recipe('plain')] })
    renameSync(join(folder, 'data'), join(folder, 'elsewhere'))
    await services.queue.pause({ lane: 'cpu', paused: false })
    await until(() => statusOf(services, run!) === 'failed', 'it has failed')
    expect(services.runs.show({ run: run! }).card.error!.message).toMatch(/its data .* is gone/)
  })
})

describe('several lanes', () => {
  it('train side by side, and share what names none', async () => {
    const { open, recipe } = bench(['gpu0', 'gpu1', 'cpu'])
    const services = open()
    for (let i = 0; i < 3; i++) await services.runs.start(recipe('slow'))
    const { lanes, next } = await services.queue.list()
    expect(lanes.map(({ id, running, waiting: runs }) => [id, running !== null, runs.length])).toEqual([['gpu0', true, 1], ['gpu1', true, 0], ['cpu', false, 0]])
    expect(next).toBe('gpu1')
    await services.queue.move({ run: lanes[0]!.waiting[0]!, lane: 'cpu', position: 0 })
    await until(() => services.runs.list().every(({ status }) => status === 'running'), 'all three run at once')
  })

  it('of GPUs that are gone leave their runs to the first that is there', async () => {
    const { open, recipe } = bench(['gpu0', 'gpu1'])
    const before = open()
    await before.queue.pause({ lane: 'gpu1', paused: true })
    const { runs } = await before.queue.add({ recipes: [recipe('plain')], lane: 'gpu1' })
    await before.close()
    const after = open(['cpu'])
    expect(await waiting(after)).toEqual(runs)
  })
})

describe('a device that another program has', () => {
  it('is waited for, in the order of the queue, and the lane says who has it', async () => {
    const { folder, open, recipe } = bench()
    const services = open()
    mkdirSync(join(folder, 'workspace/lanes'), { recursive: true })
    const other = takeLock(join(folder, 'workspace/lanes/cpu.lock'), 'elsewhere-1')!
    const { runs } = await services.queue.add({ recipes: ['plain', 'plain'].map(recipe) })
    expect((await services.queue.list()).lanes[0]).toMatchObject({ running: null, elsewhere: { run: 'elsewhere-1', pid: process.pid }, waiting: runs })
    expect(runs.map(run => statusOf(services, run))).toEqual(['queued', 'queued'])
    other.release()
    await until(() => runs.every(run => statusOf(services, run) === 'finished'), 'both have finished')
    await expect.poll(async () => (await services.queue.list()).lanes[0]).toMatchObject({ running: null, elsewhere: null })
  })

  it('comes to the other after the run that has it now, though more wait in the queue', async () => {
    const { folder, open, recipe } = bench()
    const services = open()
    const { runs } = await services.queue.add({ recipes: ['slow', 'plain'].map(recipe) })
    await until(() => statusOf(services, runs[0]!) === 'running', 'the first runs')
    const told: string[] = []
    const held = enterLane(join(folder, 'workspace/lanes/cpu.lock'), 'elsewhere-1', { onWait: ({ run }) => told.push(run) })
    await until(() => statusOf(services, runs[0]!) === 'finished', 'the first has finished')
    ;(await held).release()
    expect(told).toEqual([runs[0]])
    await until(() => statusOf(services, runs[1]!) === 'finished', 'the second has finished')
  })
})

describe('an evaluation', () => {
  async function begun(lanes: string[]) {
    const { open, recipe } = bench(lanes)
    const services = open()
    const { runs: [measured] } = await services.queue.add({ recipes: [recipe('plain')] })
    await until(() => statusOf(services, measured!) === 'finished', 'there is a run to measure')
    const { runs: [now, later] } = await services.queue.add({ recipes: ['slow', 'plain'].map(recipe), lane: lanes[0]! })
    await until(() => statusOf(services, now!) === 'running', 'a training has the device')
    const told: JobProgress[] = []
    onTestFinished(services.evaluations.progress({ run: measured! }, events => told.push(...events)))
    const report = services.evaluations.run({ run: measured!, checkpoint: 'last', data: null })
    return { services, measured: measured!, now: now!, later: later!, told, report }
  }

  it('waits for a GPU that trains, comes before the runs that wait, and says so', async () => {
    const { services, now, later, told, report } = await begun(['gpu0', 'cpu'])
    await until(() => told.some(({ state }) => state === 'waiting'), 'it has told that it waits')
    expect(told.at(-1)!.message).toContain(now)
    await report
    expect(statusOf(services, now)).toBe('finished')
    expect(statusOf(services, later)).toBe('queued')
    expect(told.at(-1)!.state).toBe('ended')
    await until(() => statusOf(services, later) === 'finished', 'the queue goes on')
  })

  it('runs beside a training on the CPU; cancelled, it ends at once and is not asked for twice', async () => {
    const { services, measured, now, told, report } = await begun(['cpu'])
    await until(() => told.some(({ done }) => done !== null && done > 2), 'it is under way')
    await expect(services.evaluations.run({ run: measured, checkpoint: 'last', data: null })).rejects.toMatchObject({ code: 'run-busy' })
    services.evaluations.cancel({ run: measured })
    await expect(report).rejects.toMatchObject({ code: 'cancelled' })
    expect(statusOf(services, now)).toBe('running')
    expect(told.at(-1)!.state).toBe('ended')
  })

  it('that waits can be cancelled too', async () => {
    const { services, measured, now, report } = await begun(['gpu0', 'cpu'])
    services.evaluations.cancel({ run: measured })
    await expect(report).rejects.toMatchObject({ code: 'cancelled' })
    expect(statusOf(services, now)).toBe('running')
  })
})

describe('successive halving', () => {
  it('gives the best of each round more epochs, through the queue, and once', async () => {
    const { open, recipe } = bench()
    const services = open()
    const { sweep, runs } = await services.queue.sweep({ recipe: { ...recipe(''), train: { epochs: 4 } }, sweep: { search: 'halving', runs: 4, eta: 2, seed: 0, axes: [{ kind: 'list', field: 'train.learningRate', values: [0.1, 0.2, 0.3, 0.4] }] } })
    expect(runs).toHaveLength(4)
    await until(() => services.runs.list().length === 7 && services.runs.list().every(({ status }) => status === 'finished'), 'all rounds have ended')
    const ofRung = (rung: number) => services.runs.list().map(({ id }) => services.runs.show({ run: id })).filter(({ card }) => card.origin?.sweep === sweep && card.origin.rung === rung)
    expect([0, 1, 2].map(rung => ofRung(rung).map(({ manifest }) => manifest.recipe.train.epochs))).toEqual([[1, 1, 1, 1], [2, 2], [4]])
    // The fake trainer's accuracy is its learning rate.
    const rates = (rung: number) => ofRung(rung).map(({ manifest }) => manifest.recipe.train.learningRate!).sort()
    expect(rates(1)).toEqual(rates(0).slice(-2))
    expect(rates(2)).toEqual(rates(0).slice(-1))
    await services.goOn(false)
    expect(services.runs.list()).toHaveLength(7)
    expect(readEvents(services.runs.list()[0]!.folder).at(-1)!.event).toBe('finished')
  })
})

describe('after the program ended', () => {
  it('what waited waits still, and goes on in its order', async () => {
    const { open, recipe } = bench()
    const before = open()
    const { runs } = await before.queue.add({ recipes: ['slow', 'plain', 'plain'].map(recipe) })
    await until(() => statusOf(before, runs[0]!) === 'running', 'the first runs')
    await before.queue.move({ run: runs[2]!, position: 0 })
    await before.close()
    const after = open()
    expect(runs.map(run => statusOf(after, run))).toEqual(['stopped', 'queued', 'queued'])
    expect(await waiting(after)).toEqual([runs[2], runs[1]])
    await after.goOn(true)
    expect((await after.queue.list()).lanes[0]).toMatchObject({ paused: true, running: null })
    await after.queue.pause({ lane: 'cpu', paused: false })
    await until(() => statusOf(after, runs[1]!) === 'finished', 'the last has finished')
    expect(statusOf(after, runs[0]!)).toBe('stopped')
  })

  it('a file that cannot be read costs the order, not the runs', async () => {
    const { open, recipe } = bench()
    const before = open()
    await before.queue.pause({ lane: 'cpu', paused: true })
    const { runs } = await before.queue.add({ recipes: [recipe('plain')] })
    writeFileSync(before.workspace.queue, '{ torn')
    expect(statusOf(open(), runs[0]!)).toBe('interrupted')
    expect(readFileSync(`${before.workspace.queue}.broken`, 'utf8')).toBe('{ torn')
  })
})

describe('lanes', () => {
  it('are the GPUs that CUDA may use, and the CPU', async () => {
    const names = async () => ['A', 'B']
    const ids = async (env: NodeJS.ProcessEnv, found = names) => (await findLanes(env, found)).map(({ id, environment }) => [id, environment['CUDA_VISIBLE_DEVICES']])
    expect(await ids({})).toEqual([['gpu0', '0'], ['gpu1', '1'], ['cpu', '']])
    expect(await ids({ CUDA_VISIBLE_DEVICES: '1' })).toEqual([['gpu0', '1'], ['cpu', '']])
    expect(await ids({ CUDA_VISIBLE_DEVICES: '' })).toEqual([['cpu', undefined]])
    expect(await ids({ ENGRAM_DEVICE: 'cpu' })).toEqual([['cpu', undefined]])
    expect(await ids({}, async () => [])).toEqual([['cpu', undefined]])
    expect((await findLanes({ CUDA_VISIBLE_DEVICES: '1' }, names))[0]!.device).toBe('B')
  })

  it('keep their order when a run moves', () => {
    const at = (run: string, lane = 'cpu') => ({ run, lane })
    const before = [at('aaa'), at('ggg', 'gpu0'), at('bbb'), at('ccc')]
    const order = (waiting: { run: string }[]) => waiting.map(({ run }) => run).join(' ')
    expect(order(place(before, at('ccc'), 0))).toBe('ccc aaa ggg bbb')
    expect(order(place(before, at('aaa'), 1))).toBe('ggg bbb aaa ccc')
    expect(order(place(before, at('aaa'), 9))).toBe('ggg bbb ccc aaa')
    expect(order(place(before, at('bbb', 'gpu0'), 0))).toBe('aaa bbb ggg ccc')
  })
})
