import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunCard } from '../../src/main/contract/run'
import { ask, openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const cards = () => ask<RunCard[]>(page(), 'runs.list')
const draft = { name: 'swept', backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 100 }, method: { type: 'ssf', san: {} }, train: { epochs: 1, warmupEpochs: 0 } }

beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

test('a sweep of four states how many runs follow, and queues them', async () => {
  await page().evaluate(text => localStorage.setItem('engram.draft', text), JSON.stringify(draft))
  await page().reload()
  await goTo('New run')
  await page().getByRole('radio', { name: 'Sweep', exact: true }).click()
  const start = page().locator('[data-test=start]').last()
  await expect.poll(() => start.innerText()).toContain('Queue 4 runs')
  await page().getByLabel('Values 1').fill('0.001, 0.01')
  await expect.poll(() => start.innerText()).toContain('Say what to sweep')
  await page().getByLabel('Values 1').fill('0.001, 0.01, 2')
  await page().getByRole('button', { name: 'Add field' }).click()
  await page().getByLabel('Values 2').fill('3, 4')
  await expect.poll(() => start.innerText()).toContain('Queue 4 runs')
  for (const theme of ['dark', 'light']) {
    await ask(page(), 'settings.set', { theme })
    await page().reload()
    await expect.poll(() => start.innerText()).toContain('Queue 4 runs')
    await shot(`sweep-${theme}`)
  }
  await start.click()
  await page().waitForURL(/#\/queue/)
  await expect.poll(async () => (await cards()).map(({ name }) => name).sort()).toEqual(['swept learningRate 0.001, seed 3', 'swept learningRate 0.001, seed 4', 'swept learningRate 0.01, seed 3', 'swept learningRate 0.01, seed 4'])
  expect(new Set((await cards()).map(({ origin }) => origin?.sweep)).size).toBe(1)
  await expect.poll(async () => (await cards()).map(({ status }) => status), { timeout: 300_000, interval: 500 }).toEqual(Array(4).fill('finished'))
})

test('an ablation of a finished run is one click, and its result stands beside it', async () => {
  const [run] = await cards()
  await page().evaluate(id => { location.hash = `#/runs/${id}` }, run!.id)
  const panel = page().locator('[aria-label="Ablations"]')
  await panel.getByRole('button', { name: 'Queue Propagation off (SSF)' }).click()
  await expect.poll(async () => (await cards()).find(({ origin }) => origin?.ablation === 'propagation-off')?.status, { timeout: 120_000, interval: 500 }).toBe('finished')
  const made = (await cards()).find(({ origin }) => origin?.ablationOf === run!.id)!
  expect(made).toMatchObject({ method: 'ssf', san: false, name: `${run!.name}, propagation off` })
  await expect.poll(() => panel.locator('li').nth(1).innerText()).toMatch(/Propagation off \(SSF\)\s*\d+\.\d/)
  await shot('ablation')
  expect(bench.problems).toEqual([])
})
