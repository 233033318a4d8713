import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const status = (word: string, timeout = 300_000) => page().locator('.head').getByText(word, { exact: true }).waitFor({ timeout })
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const stepNow = async () => Number(/step ([\d,]+) of/.exec(await page().locator('section[aria-label="Progress"]').innerText())?.[1]?.replaceAll(',', '') ?? -1)
const waitForSteps = (least: number) => expect.poll(stepNow, { timeout: 90_000, interval: 100 }).toBeGreaterThanOrEqual(least)

beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

test('an empty workspace offers the quickstart, and it runs', async () => {
  await page().getByText('No runs yet').waitFor()
  await shot('empty')
  await page().getByRole('button', { name: 'Run quickstart' }).click()
  await page().waitForURL(/#\/runs\/.+/)
  await waitForSteps(1)
  await shot('quickstart')
  await page().getByRole('button', { name: 'Stop and save' }).click()
  await page().getByRole('button', { name: /^Resume at/ }).waitFor()
})

test('the form names what is missing until a run can start', async () => {
  await goTo('New run')
  const start = page().locator('[data-test=start]')
  expect(await start.innerText()).toContain('Choose a backbone')
  await page().locator('[data-card="backbone.from"] [role=radio]').first().click()
  await expect.poll(() => start.innerText()).toContain('Choose data')
  await page().locator('[data-card="data.from"] [role=radio]').first().click()
  await expect.poll(() => start.innerText()).toContain('Choose a method')
  await page().getByRole('radio', { name: 'SSF', exact: true }).click()
  await page().locator('[data-field="field-method.san"] [role=switch]').click()
  await page().getByLabel('Learning rate', { exact: true }).fill('quick')
  await expect.poll(() => start.innerText()).toContain('Fix learning rate')
  await page().getByLabel('Learning rate', { exact: true }).fill('1/200')
  await page().getByLabel('Epochs', { exact: true }).fill('12')
  await page().getByLabel('Name of the run').fill('by hand')
  await expect.poll(() => start.innerText()).toContain('Start run')
  await page().getByText('exact', { exact: true }).first().waitFor()
  await shot('new-run')
})

test('a draft survives a reload', async () => {
  await page().reload()
  expect(await page().getByLabel('Epochs', { exact: true }).inputValue()).toBe('12')
  expect(await page().getByLabel('Name of the run').inputValue()).toBe('by hand')
})

test('a run is watched, reloaded, stopped and resumed', async () => {
  await page().locator('[data-test=start]').click()
  await page().waitForURL(/#\/runs\/.+/)
  await waitForSteps(3)
  await shot('running')
  const before = await stepNow()
  await page().reload()
  await waitForSteps(before)
  await page().getByRole('button', { name: 'As table' }).click()
  await expect.poll(() => page().locator('figure.chart').first().locator('tbody tr').count()).toBeGreaterThanOrEqual(Math.min(before, 3))
  await page().getByRole('button', { name: 'As table' }).click()
  await page().locator('[data-test=stop]').click()
  await page().locator('[data-test=resume]').click()
  await status('Finished')
  await shot('finished')
})

test('the best checkpoint is exported and verified', async () => {
  await page().getByRole('tab', { name: /Checkpoints/ }).click()
  await page().getByRole('button', { name: 'Export', exact: true }).first().click()
  await page().locator('[data-test=export-start]').click()
  const report = page().locator('[role=dialog] [data-test=verification]')
  await report.waitFor({ timeout: 90_000 })
  const words = await report.innerText()
  expect(words).toMatch(/images/)
  expect(words).toMatch(/from_pretrained|create_model/)
  await shot('exported')
  await page().getByRole('button', { name: 'Close report' }).click()
})

test('every page opens in both themes without a complaint', async () => {
  for (const theme of ['Light', 'Dark'] as const) {
    await goTo('Settings')
    await page().getByRole('radio', { name: theme, exact: true }).click()
    expect(await page().evaluate(() => document.documentElement.dataset['theme'])).toBe(theme.toLowerCase())
    for (const name of ['Runs', 'New run', 'Checkpoints', 'Datasets', 'Backbones', 'Settings']) {
      await goTo(name)
      await page().locator('.view h1').getByText(name, { exact: true }).waitFor()
      await page().waitForTimeout(600)
      await shot(`${name.toLowerCase().replace(' ', '-')}-${theme.toLowerCase()}`)
    }
    await goTo('Runs')
    await page().getByRole('row').filter({ hasText: 'by hand' }).click()
    for (const tab of ['Overview', 'Engram', 'Checkpoints', 'Recipe', 'Log']) {
      await page().getByRole('tab', { name: new RegExp(`^${tab}`) }).click()
      await page().waitForTimeout(500)
      await shot(`run-${tab.toLowerCase()}-${theme.toLowerCase()}`)
    }
  }
  expect(bench.problems).toEqual([])
})
