import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { QueueState } from '../../src/main/contract/queue'
import type { RunCard } from '../../src/main/contract/run'
import { ask as askMain, openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const rows = () => page().locator('.lane li .name').allInnerTexts()

const ask = <T>(path: string, input?: unknown) => askMain<T>(page(), path, input)
const recipe = (name: string, change: object = {}) =>
  ({ name, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 100 }, method: { type: 'ssf' }, train: { epochs: 1, warmupEpochs: 0, batchSize: 32 }, ...change })
const statuses = async () => Object.fromEntries((await ask<RunCard[]>('runs.list')).map(({ name, status }) => [name, status]))

beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

test('runs wait in a paused lane, in an order that keys and the mouse change', async () => {
  await goTo('Queue')
  await page().getByRole('button', { name: 'Pause lane' }).click()
  await page().getByText(/nothing starts until you press Go on/i).waitFor()
  await ask('queue.add', { recipes: [recipe('first'), recipe('diverges', { train: { epochs: 1, warmupEpochs: 0, batchSize: 32, learningRate: 1e30 } }), recipe('third')] })
  await expect.poll(rows).toEqual(['first', 'diverges', 'third'])
  await page().locator('.lane li').nth(2).focus()
  await page().keyboard.press('Alt+ArrowUp')
  await expect.poll(rows).toEqual(['first', 'third', 'diverges'])
  await page().keyboard.press('Alt+ArrowUp')
  await expect.poll(rows).toEqual(['third', 'first', 'diverges'])
  await page().locator('.lane li').nth(0).dragTo(page().locator('.lane li').nth(2), { targetPosition: { x: 200, y: 40 } })
  await expect.poll(rows).toEqual(['first', 'diverges', 'third'])
  expect(await page().locator('footer').innerText()).toContain('Queue 3')
})

test('one is removed and put back', async () => {
  await page().locator('.lane li').nth(1).hover()
  await page().locator('.lane li').nth(1).getByRole('button', { name: 'Remove from queue' }).click()
  await expect.poll(rows).toEqual(['first', 'third'])
  await page().getByRole('button', { name: 'Undo' }).click()
  await expect.poll(rows).toEqual(['first', 'diverges', 'third'])
})

test('the form queues behind them, and says so', async () => {
  await goTo('New run')
  await page().locator('[data-card="backbone.from"] [role=radio]').first().click()
  await page().locator('[data-card="data.from"] [role=radio]').first().click()
  await page().getByRole('radio', { name: 'Linear probe', exact: true }).click()
  await page().getByLabel('Epochs', { exact: true }).fill('2')
  await page().getByLabel('Name of the run').fill('by hand')
  await expect.poll(() => page().locator('[data-test=start]').innerText()).toContain('Queue run, CPU is paused')
  await page().locator('[data-test=start]').click()
  await expect.poll(rows).toEqual(['first', 'diverges', 'third', 'by hand'])
})

test('the lane trains them all, though one fails', async () => {
  await page().getByRole('button', { name: 'Go on' }).click()
  await page().locator('.running .name').getByText('first').waitFor()
  await shot('queue-running')
  await expect.poll(statuses, { timeout: 300_000, interval: 500 }).toEqual({ first: 'finished', diverges: 'failed', third: 'finished', 'by hand': 'finished' })
  await page().getByText('Nothing trains here and nothing waits.').waitFor()
  const { lanes } = await ask<QueueState>('queue.list')
  expect(lanes.every(({ running, waiting, paused }) => running === null && waiting.length === 0 && !paused)).toBe(true)
})

test('a training from the command line is waited for, shown and stopped from here', async () => {
  const path = join(bench.workspace, 'recipe.json')
  writeFileSync(path, JSON.stringify(recipe('in the terminal', { train: { epochs: 2000, warmupEpochs: 0, batchSize: 32 } })))
  const terminal = spawn(process.execPath, [resolve('out/main/cli.js'), 'train', path, '--workspace', bench.workspace], { stdio: 'ignore' })
  const ended = new Promise(done => terminal.once('exit', done))
  await page().getByText(/^Started from the command line \(process \d+\)/).waitFor({ timeout: 60_000 })
  await ask('queue.add', { recipes: [recipe('behind it')] })
  await expect.poll(rows).toEqual(['behind it'])
  await page().getByText(/^step \d/).waitFor({ timeout: 60_000 })
  await shot('queue-elsewhere')
  await page().getByRole('button', { name: 'Stop and save' }).click()
  expect(await ended).toBe(0)
  await expect.poll(statuses, { timeout: 120_000, interval: 500 }).toMatchObject({ 'in the terminal': 'stopped', 'behind it': 'finished' })
})

test('with runs like them done, those that wait are estimated', async () => {
  await page().getByRole('button', { name: 'Pause lane' }).click()
  await ask('queue.add', { recipes: [recipe('fourth'), recipe('fifth', { method: { type: 'lora', rank: 4 } }), recipe('sixth', { method: { type: 'ssf', san: {} } })] })
  await page().getByText(/^about \d+ s$/).first().waitFor()
  for (const [width, height] of [[1440, 900], [1024, 700]] as const) {
    await bench.app.evaluate(({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]!.setSize(size[0], size[1]), [width, height] as const)
    for (const theme of ['light', 'dark']) {
      await ask('settings.set', { theme })
      await page().reload()
      await page().getByText(/^about \d+ s$/).first().waitFor()
      await shot(`queue-${theme}-${width}`)
    }
  }
  expect(bench.problems).toEqual([])
})

test('a kill leaves what waited waiting, and the next start goes on', async () => {
  const pid = bench.app.process().pid!
  process.kill(pid, 'SIGKILL')
  await bench.app.close().catch(() => undefined)
  bench = await openWorkbench(bench.workspace)
  await goTo('Queue')
  await expect.poll(rows).toEqual(['fourth', 'fifth', 'sixth'])
  expect(await statuses()).toMatchObject({ fourth: 'queued', fifth: 'queued', sixth: 'queued' })
  await page().getByRole('button', { name: 'Go on' }).click()
  await expect.poll(statuses, { timeout: 300_000, interval: 500 }).toMatchObject({ fourth: 'finished', fifth: 'finished', sixth: 'finished' })
})
