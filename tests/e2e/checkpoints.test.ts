import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheckpointCard } from '../../src/main/contract/checkpoint'
import type { RunDetail, RunEvent } from '../../src/main/contract/run'
import { ask, lookAround, openLight, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const look = (name: string) => lookAround(bench, name)
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const all = () => ask<CheckpointCard[]>(page(), 'checkpoints.all')
const dialog = () => page().getByRole('dialog')
const preview = () => page().locator('[data-test=prune-preview]')
const going = async () => Number(/^(\d+) checkpoints would go/.exec(await preview().innerText())?.[1] ?? 0)
async function close(): Promise<void> {
  await page().keyboard.press('Escape')
  await dialog().waitFor({ state: 'hidden' })
}
const recipe = (type: string) => ({
  name: `digits ${type}`, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 200, split: { validation: 40 } }, method: { type },
  train: { epochs: 3, batchSize: 32, learningRate: 0.02 }, checkpoints: { everySteps: 2, keep: 20 },
})

const show = (run: string) => ask<RunDetail>(page(), 'runs.show', { run })
const finished = (run: string) => expect.poll(async () => (await show(run)).card.status, { timeout: 180_000, interval: 500 }).toBe('finished')
async function train(type: string): Promise<string> {
  const { run } = await ask<{ run: string }>(page(), 'runs.start', recipe(type))
  await finished(run)
  return run
}
async function firstLoss(run: string): Promise<number> {
  const events = readFileSync(join((await show(run)).card.folder, 'events.jsonl'), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as RunEvent)
  return events.flatMap(event => event.event === 'step' ? [event.loss] : [])[0]!
}
const runOfPage = () => /#\/runs\/([^/?]+)/.exec(page().url())?.[1] ?? ''

beforeAll(async () => { bench = await openLight() }, 90_000)
afterAll(async () => { await bench.close() })

let probe = '', ssf = ''
test('every checkpoint of every run is on one page, and one is pinned there', async () => {
  probe = await train('linear-probe')
  ssf = await train('ssf')
  await goTo('Checkpoints')
  const saved = await all()
  expect(saved.length).toBeGreaterThan(10)
  await expect.poll(() => page().locator('tbody tr').count()).toBe(saved.length)
  const other = saved.find(({ run, best, last }) => run === ssf && !best && !last)!
  const row = page().locator('tbody tr').filter({ hasText: 'digits ssf' }).filter({ has: page().getByRole('cell', { name: String(other.step), exact: true }) })
  await row.getByRole('button', { name: 'Pin checkpoint' }).click()
  await row.getByText('pinned').waitFor()
  expect((await all()).filter(({ pinned }) => pinned)).toMatchObject([{ run: ssf, step: other.step }])
  await look('checkpoints')
  await row.getByRole('button', { name: 'Try images' }).click()
  await tryAt(other.step)
  await expect.poll(() => page().evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Try images')
})

const check = (text: RegExp) => page().getByRole('complementary', { name: 'What this run amounts to' }).getByRole('listitem').filter({ hasText: text })

/** The dialog that a row opens is about its run and its checkpoint; it ends closed. */
async function tryAt(step: number): Promise<void> {
  await page().getByRole('dialog', { name: 'Try images on digits ssf' }).getByRole('button', { name: new RegExp(`^Checkpoint .*step ${step}$`) }).waitFor()
  await dialog().locator('input[type=file]').setInputFiles(resolve('tests/main/data/fixtures/sharp.png'))
  await dialog().locator('[data-test=tried]').waitFor({ timeout: 120_000 })
  await lookAround(bench, 'try-checkpoint')
  await close()
}

test('a rule shows what would go, and deletes just that', async () => {
  const before = await all()
  await page().getByLabel('Search checkpoints by run').fill('linear')
  await page().locator('[data-test=open-prune]').click()
  await dialog().getByText('1 run that matches “linear”').waitFor()
  await expect.poll(() => preview().innerText()).toMatch(/^\d+ checkpoints would go, .*B\. \d checkpoints? stays?, /)
  await close()
  await page().getByLabel('Search checkpoints by run').fill('')
  await page().locator('[data-test=open-prune]').click()
  await dialog().getByText('Checkpoints of all runs.').waitFor()
  await expect.poll(going).toBeGreaterThan(0)
  const full = await going()
  await dialog().getByLabel('One in every').fill('4')
  await expect.poll(going).toBeLessThan(full)
  await dialog().getByLabel('One in every').fill('x')
  await dialog().getByText('A whole number of steps from 1 on').waitFor()
  expect(await page().locator('[data-test=prune]').isDisabled()).toBe(true)
  await dialog().getByLabel('One in every').fill('')
  await expect.poll(going).toBe(full)
  await look('prune')
  await page().getByRole('button', { name: `Delete ${full} checkpoints` }).click()
  await page().getByText(new RegExp(`^Deleted ${full} checkpoints, .* freed$`)).waitFor()
  const left = await all()
  expect(left.length).toBe(before.length - full)
  expect(left.every(({ best, last, pinned }) => best || last || pinned)).toBe(true)
  for (const one of before) expect(existsSync(one.path)).toBe(left.some(({ path }) => path === one.path))
  await expect.poll(() => page().locator('tbody tr').count()).toBe(left.length)
})

test('a budget that is kept lets nothing go, and the page says how full it is', async () => {
  await goTo('Settings')
  await page().getByLabel('Checkpoint budget').fill('5')
  await goTo('Checkpoints')
  await expect.poll(() => page().locator('[data-test=disk-use]').innerText()).toMatch(/of 5\.0 GB$/)
  await page().locator('[data-test=open-prune]').click()
  expect(await dialog().getByLabel('Until they fit into').inputValue()).toBe('5')
  await expect.poll(() => preview().innerText()).toMatch(/^Nothing would go\./)
  expect(await page().locator('[data-test=prune]').isDisabled()).toBe(true)
  await close()
})

test('a run shows what is left of its checkpoints, and is pruned by itself', async () => {
  await page().goto(`${page().url().split('#')[0]}#/runs/${probe}/checkpoints`)
  const left = (await all()).filter(({ run }) => run === probe)
  await expect.poll(() => page().locator('tbody tr').count()).toBe(left.length)
  expect(await page().getByRole('tab', { name: /^Checkpoints/ }).innerText()).toContain(String(left.length))
  await page().getByRole('button', { name: 'Prune', exact: true }).click()
  await dialog().getByRole('switch').click()
  const lasts = left.filter(({ last, best, pinned }) => last && !best && !pinned).length
  await expect.poll(() => preview().innerText()).toMatch(lasts ? /^1 checkpoint would go/ : /^Nothing would go/)
  await close()
  await look('run-checkpoints')
})

test('a new run begins with the weights of a checkpoint, by the same recipe or a changed one', async () => {
  await page().goto(`${page().url().split('#')[0]}#/runs/${ssf}/checkpoints`)
  const { step: last } = (await all()).find(one => one.run === ssf && one.last)!
  await page().locator('tbody tr').filter({ hasText: 'last' }).getByRole('button', { name: 'Try images' }).click()
  await tryAt(last)
  const restart = () => page().locator('tbody tr').filter({ hasText: 'best' }).getByRole('button', { name: 'Restart from here' }).click()
  await restart()
  await look('restart')
  await page().locator('[data-test=restart]').click()
  await page().waitForURL(url => url.hash.startsWith('#/runs/') && !url.hash.includes(ssf))
  const again = runOfPage()
  await finished(again)
  const { step } = (await all()).find(one => one.run === ssf && one.best)!
  expect((await show(again)).manifest.origin).toEqual({ restartOf: ssf, restartStep: step })
  // The first batch is the same: only the weights tell the losses apart.
  expect(await firstLoss(again)).toBeLessThan(await firstLoss(ssf) - 0.1)
  await page().getByText(`Begins with the weights of step ${step} of digits ssf`).waitFor()
  await page().goto(`${page().url().split('#')[0]}#/runs/${ssf}/checkpoints`)
  await restart()
  await page().getByRole('button', { name: 'Change the recipe' }).click()
  await page().locator('[data-test=begins]').getByText(`Begins with the weights of step ${step} of digits ssf`).waitFor()
  await page().getByLabel('Epochs', { exact: true }).fill('1')
  await look('restart-changed')
  await page().getByRole('radio', { name: 'LoRA', exact: true }).click()
  const misfit = check(/do not fit: they come from ssf, and .* is not among them/)
  await misfit.waitFor()
  await expect.poll(() => page().locator('[data-test=start]').first().innerText()).toContain('Fix method')
  await look('restart-misfit')
  await misfit.getByRole('button', { name: 'Go to method' }).click()
  expect(await page().evaluate(() => document.activeElement?.closest('[data-card]')?.getAttribute('data-card'))).toBe('method.type')
  await page().getByRole('radio', { name: 'SSF', exact: true }).click()
  await misfit.waitFor({ state: 'detached' })
  await page().locator('[data-test=start]').first().click()
  await page().waitForURL(/#\/runs\/[^/]+$/)
  const changed = runOfPage()
  await finished(changed)
  expect((await show(changed)).manifest).toMatchObject({ recipe: { train: { epochs: 1 } }, origin: { restartOf: ssf } })
})

test('a checkpoint that is gone by then is told, and the run can begin fresh, with the keyboard alone', async () => {
  const { step } = (await all()).find(one => one.run === ssf && one.best)!
  await ask(page(), 'checkpoints.remove', { run: ssf, step })
  await goTo('New run')
  await page().getByLabel('Epochs', { exact: true }).fill('2')
  const gone = check(new RegExp(`has no checkpoint at step ${step}`))
  await gone.waitFor()
  await look('restart-gone')
  await expect.poll(() => page().locator('[data-test=start]').first().innerText()).toContain('Fix weights')
  await gone.getByRole('button', { name: 'Go to weights' }).focus()
  await page().keyboard.press('Enter')
  expect(await page().evaluate(() => document.activeElement?.textContent)).toBe('Begin fresh')
  await page().keyboard.press('Enter')
  await gone.waitFor({ state: 'detached' })
  await expect.poll(() => page().locator('[data-test=start]').first().innerText()).toContain('Start run')
  expect(bench.problems).toEqual([])
})
