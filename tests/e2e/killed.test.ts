import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EvaluationCard } from '../../src/main/contract/evaluation'
import type { QueueState } from '../../src/main/contract/queue'
import type { RunCard } from '../../src/main/contract/run'
import { listCheckpoints } from '../../src/main/store/checkpoints'
import { liveRunLock } from '../../src/main/store/runFolder'
import { type HubServer, modelFixture, startHub } from '../support/hubServer'
import { ask as askMain, openWorkbench, type Workbench } from './window'

let bench: Workbench
let hub: HubServer
const ask = <T>(path: string, input?: unknown) => askMain<T>(bench.page, path, input)
const recipe = (name: string) =>
  ({ name, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 200 }, method: { type: 'ssf' }, train: { epochs: 500, warmupEpochs: 0, batchSize: 20 } })
const card = async (name: string) => (await ask<RunCard[]>('runs.list')).find(one => one.name === name)!
const lane = async () => (await ask<QueueState>('queue.list')).lanes[0]!
const stepOf = async (name: string) => (await card(name)).step
const trainers = () => bench.app.evaluate(({ app }) => app.getAppMetrics().filter(({ name }) => name === 'Engram trainer').map(({ pid }) => pid))
const under = (name: string, step: number) => expect.poll(() => stepOf(name), { timeout: 90_000 }).toBeGreaterThan(step)
/** Resolves with the sentence of the error, or with nothing. */
const evaluation = (run: string) => ask('evaluations.run', { run, checkpoint: 'last' }).then(() => null, (thrown: Error) => thrown.message)

/** Through main: Playwright cannot reach a page that has died and come back; what is asked of a dead one is never answered. */
const inPage = (script: string) => Promise.race([
  bench.app.evaluate(({ BrowserWindow }, code) => BrowserWindow.getAllWindows()[0]!.webContents.executeJavaScript(code) as Promise<number>, script).catch(() => 0),
  new Promise<number>(resolve => setTimeout(() => resolve(0), 2000)),
])

beforeAll(async () => {
  hub = await startHub([modelFixture('timm/tiny', resolve('tests/fixtures/reference/timm-vit-cls/model'))])
  bench = await openWorkbench()
  await ask('settings.set', { hubEndpoint: hub.endpoint, startQueue: false })
}, 90_000)
afterAll(async () => {
  await bench.close()
  await hub.close()
})

test('the trainer of an evaluation: nothing of it is left, the run beside it goes on', async () => {
  await ask('queue.add', { recipes: ['first', 'second', 'third'].map(recipe) })
  await expect.poll(async () => listCheckpoints((await card('first')).folder).length, { timeout: 90_000 }).toBeGreaterThan(0)
  const { id, folder } = await card('first')
  const own = liveRunLock(folder)!.pid
  const told = evaluation(id)
  await expect.poll(async () => (await trainers()).length).toBe(2)
  process.kill((await trainers()).find(pid => pid !== own)!, 'SIGKILL')
  expect(await told).toMatch(/^The trainer (was )?ended/)
  expect(await ask<EvaluationCard[]>('evaluations.list', { run: id })).toEqual([])
  expect((await card('first')).status).toBe('running')
})

test('the trainer of a run: it is interrupted, and the next in the lane begins', async () => {
  const { folder } = await card('first')
  process.kill(liveRunLock(folder)!.pid, 'SIGKILL')
  await expect.poll(async () => (await card('first')).status).toBe('interrupted')
  expect((await card('first')).resumeStep).toBe(listCheckpoints(folder).at(-1)!.state.step)
  await under('second', 3)
  expect((await lane()).running).toBe((await card('second')).id)
})

test('the page: it comes back by itself and shows the run that went on meanwhile', async () => {
  hub.trouble.delayMs = 1000
  await ask('hub.download', { id: 'timm/tiny' })
  const { id, step } = await card('second')
  process.kill(await bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.getOSProcessId()), 'SIGKILL')
  const shown = () => inPage(`document.querySelector('.shell') ? engram.invoke('runs.show', { run: '${id}' }).then(({ value }) => value.card.step) : 0`)
  await expect.poll(shown, { timeout: 60_000 }).toBeGreaterThan(step)
  await inPage(`void engram.invoke('evaluations.run', { run: '${id}', checkpoint: 'last' })`)
  await expect.poll(async () => (await trainers()).length, { timeout: 30_000 }).toBe(2)
})

test('main, with a run, an evaluation and a download under way and a run waiting: the next start says what is so', async () => {
  bench.app.process().kill('SIGKILL')
  await bench.app.close().catch(() => undefined)
  bench = await openWorkbench(bench.workspace)
  const { id, folder } = await card('second')
  await expect.poll(() => liveRunLock(folder), { timeout: 30_000 }).toBe(null)
  expect(await card('second')).toMatchObject({ status: 'interrupted', resumeStep: listCheckpoints(folder).at(-1)!.state.step })
  expect((await card('first')).status).toBe('interrupted')
  expect(await lane()).toMatchObject({ running: null, paused: true, waiting: [(await card('third')).id] })
  expect(await ask<EvaluationCard[]>('evaluations.list', { run: id })).toEqual([])
  expect(readdirSync(join(bench.workspace, 'models'))).toEqual(['.partial'])
  await bench.page.getByRole('link', { name: 'Backbones', exact: true }).first().click()
  await bench.page.getByText(/^Paused at/).first().waitFor()
})
