import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheckpointCard } from '../../src/main/contract/checkpoint'
import type { RunDetail } from '../../src/main/contract/run'
import { ask, lookAround, openLight, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const show = (run: string) => ask<RunDetail>(page(), 'runs.show', { run })
const saved = (run: string) => ask<CheckpointCard[]>(page(), 'checkpoints.list', { run })
const openRun = (run: string, tab = '') => page().goto(`${page().url().split('#')[0]}#/runs/${run}/${tab}`)

/** Evaluates and saves only when asked to. */
const recipe = {
  name: 'digits live', backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 200, split: { validation: 40 } }, method: { type: 'ssf' },
  train: { epochs: 2000, batchSize: 32, learningRate: 0.01 }, evaluate: { every: 1_000_000 }, checkpoints: { everySteps: null },
}

beforeAll(async () => { bench = await openLight() }, 90_000)
afterAll(async () => { await bench.close() })

let run = ''
test('a running run saves and evaluates when it is asked to', async () => {
  ({ run } = await ask<{ run: string }>(page(), 'runs.start', recipe))
  await openRun(run)
  const saveNow = page().locator('[data-test=save-now]')
  await saveNow.waitFor({ timeout: 120_000 })
  expect(await saved(run)).toEqual([])
  await saveNow.click()
  await expect.poll(() => saved(run), { timeout: 30_000 }).toMatchObject([{ pinned: true, last: true }])
  await page().locator('[data-test=evaluate-now]').click()
  await expect.poll(async () => (await show(run)).card.metrics['validation/accuracy'], { timeout: 30_000 }).toBeGreaterThan(0)
  await expect.poll(() => saved(run)).toMatchObject([{ pinned: true, best: false }, { pinned: false, best: true }])
  await page().getByRole('tab', { name: /^Checkpoints/ }).click()
  await expect.poll(() => page().locator('tbody tr').count()).toBe(2)
  await page().getByRole('tab', { name: 'Overview' }).click()
  await lookAround(bench, 'live')
})

test('a note is kept while it is written, and finds the run', async () => {
  await page().getByLabel('Note').fill('Learning rate too high?\nTry 0.003 with the ocelot split.')
  await page().getByText('Saved', { exact: true }).waitFor()
  expect((await show(run)).card.labels.note).toBe('Learning rate too high?\nTry 0.003 with the ocelot split.')
  await page().getByLabel('Note').fill('Try the ocelot split.')
  await page().getByRole('link', { name: 'Runs', exact: true }).first().click()
  await page().getByLabel('Search runs').fill('ocelot')
  await page().getByRole('row').filter({ hasText: 'digits live' }).waitFor()
  await page().getByLabel('Search runs').fill('jaguar')
  await page().getByText('No run matches “jaguar”.').waitFor()
  await page().getByRole('button', { name: 'Clear filters' }).click()
  await expect.poll(async () => (await show(run)).card.labels.note).toBe('Try the ocelot split.')
})

test('a run is starred in its head, and its gains lead to the Engram page', async () => {
  await openRun(run)
  await page().getByRole('button', { name: 'Favourite digits live' }).click()
  await expect.poll(async () => (await show(run)).card.labels.favourite).toBe(true)
  const gains = page().locator('[data-test=gains-now]')
  await expect.poll(() => gains.innerText()).toMatch(/Gains now[^]*depressed \d+ %\s+potentiated \d+ %/)
  await gains.getByRole('button', { name: 'Open Engram' }).click()
  await page().getByRole('tab', { name: 'Engram', selected: true }).waitFor()
})

test('a run that stopped offers neither', async () => {
  await openRun(run)
  await page().locator('[data-test=stop]').click()
  await page().locator('[data-test=resume]').waitFor({ timeout: 60_000 })
  expect(await page().locator('[data-test=save-now], [data-test=evaluate-now]').count()).toBe(0)
  await expect.poll(() => page().getByLabel('Note').inputValue()).toBe('Try the ocelot split.')
  await shot('note-light')
  expect(bench.problems).toEqual([])
})
