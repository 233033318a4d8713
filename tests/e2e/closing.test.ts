import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { ElectronApplication, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { electronFlags, electronPath } from '../../scripts/electronPath.mjs'
import type { QueueState } from '../../src/main/contract/queue'
import type { RunCard } from '../../src/main/contract/run'
import { ask, openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const recipe = (name: string, epochs: number) =>
  ({ name, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 200 }, method: { type: 'ssf', san: {} }, train: { epochs, warmupEpochs: 0, batchSize: 20 } })
const card = async (name: string) => (await ask<RunCard[]>(page(), 'runs.list')).find(one => one.name === name)!
const visible = (app: ElectronApplication) => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible())
const closeWindow = () => bench.app.evaluate(({ BrowserWindow }) => { BrowserWindow.getAllWindows()[0]!.close() })

/** Answers the next native question by its button, and keeps what was asked. */
const answerWith = (button: string) => bench.app.evaluate(({ dialog }, wanted) => {
  dialog.showMessageBox = (async (_window: unknown, options: { buttons: string[]; message: string }) => {
    ;(globalThis as unknown as { asked: unknown }).asked = { buttons: options.buttons, message: options.message }
    return { response: options.buttons.indexOf(wanted), checkboxChecked: false }
  }) as never
}, button)
const asked = () => bench.app.evaluate(() => (globalThis as unknown as { asked: unknown }).asked)

beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

test('closing asks while a run trains; Cancel changes nothing', async () => {
  await ask(page(), 'queue.add', { recipes: [recipe('long', 500), recipe('after', 1)] })
  await expect.poll(async () => (await card('long')).step, { timeout: 90_000 }).toBeGreaterThan(3)
  await answerWith('Cancel')
  await closeWindow()
  await expect.poll(asked).toEqual({ buttons: ['Keep running in the tray', 'Stop and save', 'Cancel'], message: '1 run is being trained.' })
  expect(await visible(bench.app)).toBe(true)
  expect((await card('long')).status).toBe('running')
})

test('the machine is kept awake meanwhile', async () => {
  expect(await bench.app.evaluate(({ powerSaveBlocker }) => powerSaveBlocker.isStarted(0))).toBe(true)
})

test('in the tray the run goes on, and a second start brings the window back and is refused', async () => {
  await answerWith('Keep running in the tray')
  await closeWindow()
  await expect.poll(() => visible(bench.app)).toBe(false)
  const before = (await card('long')).step
  await expect.poll(async () => (await card('long')).step, { timeout: 30_000 }).toBeGreaterThan(before)
  const second = spawn(electronPath()!, [...electronFlags(), resolve(import.meta.dirname, '../..'), '--workspace', bench.workspace], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  second.stderr.on('data', (chunk: Buffer) => { said += chunk })
  await expect.poll(() => said, { timeout: 30_000 }).toContain('already open')
  second.kill('SIGKILL')
  await expect.poll(() => visible(bench.app)).toBe(true)
})

test('stop and save ends in good order; the next start offers to resume, and what waited waits', async () => {
  await ask(page(), 'settings.set', { startQueue: false })
  await answerWith('Stop and save')
  const gone = new Promise(done => bench.app.process().once('exit', done))
  await closeWindow()
  await gone
  bench = await openWorkbench(bench.workspace)
  const left = await card('long')
  expect(left).toMatchObject({ status: 'stopped' })
  expect(left.resumeStep).toBe(left.step)
  expect((await ask<QueueState>(page(), 'queue.list')).lanes[0]).toMatchObject({ paused: true, running: null, waiting: [(await card('after')).id] })
  await page().getByRole('row').filter({ hasText: 'long' }).click()
  await page().locator('[data-test=resume]').click()
  await page().getByText('Waiting, next on CPU, which is paused').waitFor()
  await ask(page(), 'queue.pause', { lane: 'cpu', paused: false })
  await expect.poll(async () => (await card('long')).step, { timeout: 90_000 }).toBeGreaterThan(left.step)
  expect((await card('after')).status).toBe('queued')
})
