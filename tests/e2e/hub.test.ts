import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { datasetFixture, modelFixture, startHub, type HubServer } from '../support/hubServer'
import { openWorkbench, type Workbench } from './window'

let bench: Workbench
let hub: HubServer
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const list = () => page().getByRole('navigation', { name: 'Backbones' })
const MODEL = resolve('tests/fixtures/reference/timm-vit-cls/model')
const search = async (words: string) => {
  await page().getByLabel('Search the hub').fill(words)
  await page().getByLabel('Search the hub').press('Enter')
}

beforeAll(async () => {
  hub = await startHub([modelFixture('timm/vit_tiny_test', MODEL), modelFixture('meta/vit_closed', MODEL, { gated: true }), datasetFixture('lab/birds', resolve('tests/main/data/fixtures/hf'))])
  bench = await openWorkbench()
}, 90_000)
afterAll(async () => {
  await bench.close()
  await hub.close()
})

test('the catalogue is there before anything was asked, and the address of the hub is a setting', async () => {
  await goTo('Backbones')
  await list().getByText('ViT-B/16, ImageNet-21k').waitFor()
  await goTo('Settings')
  await page().getByLabel('Address of the hub').fill(hub.endpoint)
  await page().getByLabel('Address of the hub').press('Enter')
  await page().getByText(`sent to ${new URL(hub.endpoint).host} alone`).or(page().getByText('forgotten when Engram closes')).waitFor()
  await page().getByText('Hugging Face hub').scrollIntoViewIfNeeded()
  await shot('hub-settings')
})

test('a model is found, shown with its licence, downloaded with a pause, and used', async () => {
  await goTo('Backbones')
  await search('tiny_test')
  await list().getByText('timm/vit_tiny_test').click()
  const detail = page().locator('article.detail')
  await detail.getByText('apache-2.0').waitFor()
  await detail.getByText('SHA-256 checked').waitFor()
  await shot('hub-model')
  // Long enough for the slowest hand.
  Object.assign(hub.trouble, { delayMs: 300, piece: 3000, cuts: 1 })
  await page().getByRole('button', { name: /^Download \d/ }).click()
  await expect.poll(() => detail.getByRole('progressbar').getAttribute('aria-valuenow').then(Number)).toBeGreaterThan(10)
  await shot('hub-running')
  await page().getByRole('button', { name: 'Pause download' }).click()
  await detail.getByText(/^Paused at/).waitFor()
  await shot('hub-paused')
  Object.assign(hub.trouble, { delayMs: 0, piece: 16_384 })
  await page().reload()
  await list().getByText(/^Paused at/).waitFor()
  await page().getByRole('button', { name: 'Resume download' }).click()
  await page().getByRole('button', { name: 'Use in a new run' }).waitFor({ timeout: 30_000 })
  expect(await list().getByText('Downloads', { exact: true }).count()).toBe(0)
  expect(existsSync(join(bench.workspace, 'models/timm--vit_tiny_test/model.safetensors'))).toBe(true)
  await shot('hub-done')
  await page().getByRole('button', { name: 'Use in a new run' }).click()
  await page().locator('[data-card="backbone.from"]').getByText('timm/vit_tiny_test').first().waitFor()
})

test('what the tensors of a backbone hold is computed beside the window, and kept', async () => {
  await goTo('Backbones')
  await list().getByRole('button').first().click()
  await page().getByRole('radio', { name: 'Tensors', exact: true }).click()
  await page().getByRole('button', { name: 'Cancel reading' }).click()
  await page().getByText('Reading the tensors was cancelled.').waitFor({ timeout: 30_000 })
  await shot('tensors-cancelled')
  expect(await page().evaluate(() => document.activeElement?.textContent)).toBe('Read them')
  await page().keyboard.press('Enter')
  await page().getByRole('button', { name: 'Cancel reading' }).waitFor()
  await shot('tensors-reading')
  const table = page().getByRole('table', { name: 'Tensors' })
  await table.getByRole('row').nth(1).waitFor({ timeout: 60_000 })
  expect(await table.getByRole('row').nth(1).innerText()).toMatch(/F32|BF16|F16/)
  expect(readdirSync(join(bench.workspace, 'cache')).filter(name => /^tensors-[0-9a-f]{64}\.json$/.test(name))).toHaveLength(1)
  await page().getByLabel('Search tensors').fill('attn.qkv')
  await shot('tensors')
})

test('a gated model says what to do; the token is never written as it is', async () => {
  await goTo('Backbones')
  await search('vit_closed')
  await list().getByText('meta/vit_closed').click()
  await page().getByRole('button', { name: /^Download \d/ }).click()
  await page().getByText(/is gated: accept its terms at/).waitFor()
  await shot('hub-gated')
  await page().locator('article.detail').getByRole('link', { name: 'Open Settings' }).click()
  await page().getByLabel('Token for the hub').fill('hf_good')
  await page().getByRole('button', { name: 'Keep token' }).click()
  await page().getByRole('button', { name: 'Forget token' }).waitFor()
  expect(readFileSync(join(bench.workspace, 'settings.json'), 'utf8')).not.toContain('hf_good')
  const file = join(bench.workspace, 'hub-token')
  expect(existsSync(file) && readFileSync(file, 'latin1').includes('hf_good')).toBe(false)
  await goTo('Backbones')
  await list().getByText('meta/vit_closed').click()
  await page().getByRole('button', { name: /^Download \d/ }).click()
  await page().getByRole('button', { name: 'Use in a new run' }).waitFor({ timeout: 30_000 })
  await page().getByRole('button', { name: 'Remove', exact: true }).click()
  await page().getByRole('button', { name: 'Remove backbone' }).click()
  await expect.poll(() => existsSync(join(bench.workspace, 'models/meta--vit_closed'))).toBe(false)
})

test('a dataset is found, downloaded over a cut, listed with its classes and used', async () => {
  Object.assign(hub.trouble, { large: 1000, piece: 1000, cuts: 1, cutAfter: 1000, delayMs: 0 })
  await goTo('Datasets')
  await page().getByLabel('Search the hub for datasets').fill('birds')
  await page().getByLabel('Search the hub for datasets').press('Enter')
  const datasets = page().getByRole('navigation', { name: 'Datasets' })
  await datasets.getByText('lab/birds').click()
  await page().locator('article.detail').getByText('data/train-00000-of-00002.parquet').waitFor()
  await shot('hub-dataset')
  await page().getByRole('button', { name: /^Download \d/ }).click()
  await page().getByRole('button', { name: 'Use in a new run' }).waitFor({ timeout: 30_000 })
  await expect.poll(() => datasets.getByText('lab/birds').locator('xpath=ancestor::button').innerText()).toMatch(/\d classes, \d+ images/)
  await shot('hub-dataset-done')
  expect(hub.seen.some(({ path, range }) => path.includes('birds') && range === 'bytes=1000-')).toBe(true)
  await page().getByRole('button', { name: 'Use in a new run' }).click()
  await page().locator('[data-card="data.from"]').getByText('lab/birds').first().waitFor()
})

test('without a network it says so and what to do', async () => {
  await hub.close()
  await goTo('Backbones')
  await search('anything')
  await page().getByText(/cannot be reached/).waitFor()
  await shot('hub-offline')
  await page().getByLabel('Search the hub').fill('')
  await list().getByText('Swin-B, ImageNet-22k').click()
  await page().getByText('Engram cannot train this architecture yet.').waitFor()
})

test('in the dark and in a small window', async () => {
  await goTo('Settings')
  await page().getByRole('radio', { name: 'Dark', exact: true }).click()
  await goTo('Backbones')
  await page().waitForTimeout(500)
  await shot('hub-dark')
  await bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1024, 700))
  await page().waitForTimeout(700)
  await shot('hub-small')
  expect(bench.problems).toEqual([])
})
