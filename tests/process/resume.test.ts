import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/main/contract/run'
import { listCheckpoints } from '../../src/main/store/checkpoints'
import { liveRunLock } from '../../src/main/store/runFolder'
import { type Bench, createBench, eventsOf, type Running, until } from './commandLine'
import { expectClean, type Outcome, outcomeOf } from './outcome'

let bench: Bench
let whole: Outcome
beforeAll(async () => {
  bench = createBench()
  const { folder, ended } = await begin('whole')
  await ended
  whole = outcomeOf(folder)
})
afterAll(() => bench.remove())

type Begun = Running & { run: string; folder: string; trainer: number }
async function begin(name: string, change: Record<string, unknown> = {}): Promise<Begun> {
  const running = bench.start(['train', bench.recipe(name, change), '--json'])
  const started = await running.event(({ event }) => event === 'started') as Extract<RunEvent, { event: 'started' }>
  return { ...running, run: started.run, folder: started.folder, trainer: started.pid }
}
const step = (number: number) => (event: RunEvent) => event.event === 'step' && event.step === number

async function expectInterrupted(run: string, folder: string): Promise<void> {
  await until(() => liveRunLock(folder) === null, 'the trainer is gone')
  const card = await bench.card(run)
  expect(card.status).toBe('interrupted')
  expect(card.resumeStep).toBe(listCheckpoints(folder).at(-1)!.state.step)
}

async function expectSameAfterResume(run: string, folder: string): Promise<void> {
  const resumed = await bench.run(['train', '--resume', run, '--json'])
  const events = eventsOf(resumed.stdout)
  expect(resumed.code, resumed.stderr).toBe(0)
  expect(events[0]).toMatchObject({ event: 'started', run })
  expect(events.at(-1)).toMatchObject({ event: 'finished', run })
  expect(outcomeOf(folder)).toEqual(whole)
  expectClean(folder)
  expect((await bench.card(run)).status).toBe('finished')
}

describe('a run goes on to the same weights', () => {
  it('after both were killed at once', async () => {
    const { run, folder, trainer, event, child } = await begin('both-killed')
    await event(step(9))
    process.kill(trainer, 'SIGKILL')
    child.kill('SIGKILL')
    await expectInterrupted(run, folder)
    await expectSameAfterResume(run, folder)
  })

  it('after Ctrl-C, which saves at the very step', async () => {
    const { run, folder, event, child, ended } = await begin('stopped')
    await event(step(10))
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(0)
    const last = eventsOf(stdout).at(-1) as Extract<RunEvent, { event: 'stopped' }>
    expect(last.event).toBe('stopped')
    expect(stderr).toContain(`engram train --resume ${run}`)
    expect(await bench.card(run)).toMatchObject({ status: 'stopped', resumeStep: last.step })
    await expectSameAfterResume(run, folder)
  })
})

describe('several programs on one workspace', () => {
  it('see a run that another trains, and may not train or remove it', async () => {
    const { run, event, child, ended } = await begin('shared', { train: { epochs: 40, batchSize: 16 } })
    await event(step(2))
    expect((await bench.card(run)).status).toBe('running')
    const [again, removed] = await Promise.all([bench.run(['train', '--resume', run]), bench.run(['runs', 'remove', run])])
    expect([again.code, removed.code]).toEqual([1, 1])
    expect(removed.stderr).toMatch(/being trained by process/)
    child.kill('SIGINT')
    await ended
    expect((await bench.run(['runs', 'remove', run])).code).toBe(0)
    expect((await bench.run(['runs', 'show', run])).code).toBe(2)
  })

  it('take turns on a device: the second says whom it waits for, and begins when the first was killed', async () => {
    const first = await begin('first', { train: { epochs: 400, batchSize: 16 } })
    const second = bench.start(['train', bench.recipe('second', { train: { epochs: 1, batchSize: 16 } }), '--json'])
    let said = ''
    second.child.stderr?.on('data', (chunk: Buffer) => { said += chunk })
    await until(() => said.includes(`Waiting: run ${first.run} has the device now (process ${first.trainer})`), 'it says so')
    process.kill(first.trainer, 'SIGKILL')
    const { code, stdout } = await second.ended
    expect([code, eventsOf(stdout).at(-1)!.event]).toEqual([0, 'finished'])
  })

  it('a closed pipe ends the training in good order', async () => {
    const { run, event, child, ended } = await begin('pipe', { train: { epochs: 60, batchSize: 16 } })
    await event(step(3))
    child.stdout?.destroy()
    const { code } = await ended
    expect(code).toBe(0)
    expect((await bench.card(run)).status).toBe('stopped')
  })
})
