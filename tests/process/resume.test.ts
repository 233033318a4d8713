import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/main/contract/run'
import { checkpointsFolder, findCheckpoint, listCheckpoints } from '../../src/main/store/checkpoints'
import { readEvents } from '../../src/main/store/eventLog'
import { gainFile, gainSteps } from '../../src/main/store/gains'
import { liveRunLock } from '../../src/main/store/runFolder'
import { type Bench, createBench, eventsOf, type Running, until } from './commandLine'

let bench: Bench
let whole: { weights: string; accuracy: number; gains: string }
beforeAll(async () => {
  bench = createBench()
  const { folder, ended } = await begin('whole')
  const last = eventsOf((await ended).stdout).at(-1) as Extract<RunEvent, { event: 'finished' }>
  expect(last.event).toBe('finished')
  whole = { weights: weightsOf(folder), accuracy: last.metrics['test/accuracy']!, gains: gainsOf(folder) }
})
afterAll(() => bench.remove())

type Begun = Running & { run: string; folder: string; trainer: number }
async function begin(name: string, change: Record<string, unknown> = {}): Promise<Begun> {
  const running = bench.start(['train', bench.recipe(name, change), '--json'])
  const started = await running.event(({ event }) => event === 'started') as Extract<RunEvent, { event: 'started' }>
  return { ...running, run: started.run, folder: started.folder, trainer: started.pid }
}
const step = (number: number) => (event: RunEvent) => event.event === 'step' && event.step === number

/** Every tensor of the last checkpoint, the optimiser's too. */
function weightsOf(folder: string): string {
  const { folder: checkpoint, state } = findCheckpoint(folder, 'last')
  const hash = createHash('sha256')
  for (const name of Object.keys(state.files).sort()) hash.update(name).update(readFileSync(join(checkpoint, name)))
  return hash.digest('hex')
}

/** The recorded steps' first and last, and the bytes of the last record. */
function gainsOf(folder: string): string {
  const steps = gainSteps(folder)
  return [steps[0], steps.at(-1), createHash('sha256').update(readFileSync(gainFile(folder, steps.at(-1)!))).digest('hex')].join(' ')
}

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
  expect(weightsOf(folder)).toBe(whole.weights)
  expect((events.at(-1) as { metrics: Record<string, number> }).metrics['test/accuracy']).toBe(whole.accuracy)
  expect(gainsOf(folder)).toBe(whole.gains)
  expect(readdirSync(join(folder, 'gains')).filter(name => name.startsWith('.'))).toEqual([])
  const seqs = readEvents(folder).map(({ seq }) => seq)
  expect(seqs).toEqual(seqs.map((_, index) => index))
  expect(readdirSync(checkpointsFolder(folder)).filter(name => name.startsWith('.'))).toEqual([])
  expect((await bench.card(run)).status).toBe('finished')
}

describe('a run goes on to the same weights', () => {
  it('after its trainer was killed', async () => {
    const { run, folder, trainer, event, ended } = await begin('trainer-killed')
    await event(step(11))
    process.kill(trainer, 'SIGKILL')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(1)
    expect(eventsOf(stdout).at(-1)).toMatchObject({ event: 'failed', error: { code: 'trainer-died' } })
    expect(stderr).toMatch(/trainer was ended by SIGKILL/)
    await expectInterrupted(run, folder)
    await expectSameAfterResume(run, folder)
  })

  it('after the program that started it was killed: its trainer saves and stops by itself', async () => {
    const { run, folder, event, child } = await begin('main-killed')
    await event(step(6))
    child.kill('SIGKILL')
    await until(() => readEvents(folder).at(-1)?.event === 'failed', 'the trainer has noticed')
    expect(readEvents(folder).at(-1)).toMatchObject({ error: { code: 'trainer-died' } })
    await expectInterrupted(run, folder)
    await expectSameAfterResume(run, folder)
  })

  it('after both were killed at once', async () => {
    const { run, folder, trainer, event, child } = await begin('both-killed')
    await event(step(9))
    process.kill(trainer, 'SIGKILL')
    child.kill('SIGKILL')
    await expectInterrupted(run, folder)
    await expectSameAfterResume(run, folder)
  })

  it('after a kill while a checkpoint was being written', async () => {
    const { run, folder, trainer, event, ended } = await begin('checkpoint-killed')
    await event(step(5))
    const watcher = watch(checkpointsFolder(folder), (_, name) => {
      if (!name?.startsWith('.tmp-')) return
      watcher.close()
      process.kill(trainer, 'SIGKILL')
    })
    await ended
    watcher.close()
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

  it('killed again and again', async () => {
    const { run, folder, trainer, event, ended } = await begin('often-killed')
    await event(step(5))
    process.kill(trainer, 'SIGKILL')
    await ended
    for (const at of [7, 13]) {
      const again = bench.start(['train', '--resume', run, '--json'])
      const started = await again.event(({ event: name }) => name === 'started') as Extract<RunEvent, { event: 'started' }>
      await again.event(step(at))
      process.kill(started.pid, 'SIGKILL')
      await again.ended
    }
    await expectInterrupted(run, folder)
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

  it('a closed pipe ends the training in good order', async () => {
    const { run, event, child, ended } = await begin('pipe', { train: { epochs: 60, batchSize: 16 } })
    await event(step(3))
    child.stdout?.destroy()
    const { code } = await ended
    expect(code).toBe(0)
    expect((await bench.card(run)).status).toBe('stopped')
  })
})
