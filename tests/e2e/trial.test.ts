import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunCard, RunDetail, RunEvent } from '../../src/main/contract/run'
import { ask, lookAround, openLight, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const draft = { backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 300 }, method: { type: 'ssf', san: {} }, train: { epochs: 2, batchSize: 32, learningRate: 0.01, augment: 'flip' } }
const write = async (recipe: object) => {
  await page().evaluate(text => localStorage.setItem('engram.draft', text), JSON.stringify(recipe))
  await page().evaluate(() => { location.hash = '/new' })
  await page().reload()
}
const tryButton = () => page().locator('[data-test=try-steps]')
const leftOver = () => readdirSync(tmpdir()).filter(name => name.startsWith('engram-trial-'))
// the machine's measured speed is no part of a trial
const kept = () => readdirSync(join(bench.workspace, 'cache')).filter(name => !name.endsWith('rates.json'))

beforeAll(async () => { bench = await openLight() }, 90_000)
afterAll(async () => { await bench.close() })

test('two steps are tried, and nothing of them is kept', async () => {
  const before = leftOver()
  await write(draft)
  await expect.poll(() => tryButton().isEnabled()).toBe(true)
  await tryButton().click()
  const words = await page().locator('[data-test=tried-steps]').innerText({ timeout: 120_000 })
  expect(words).toMatch(/^\d+(\.\d)? m?s a step, loss \d\.\d{3}, then \d\.\d{3}, peak \d+ MB\nReady after .*; \d+ steps take about/)
  await page().screenshot({ path: join(bench.shots, 'trial-light.png') })
  expect(await ask<RunCard[]>(page(), 'runs.list')).toEqual([])
  expect(leftOver()).toEqual(before)
  expect(kept()).toEqual([])

  const losses = /loss ([\d.]+), then ([\d.]+)/.exec(words)!.slice(1)
  const { run } = await ask<{ run: string }>(page(), 'runs.start', draft)
  await expect.poll(async () => (await ask<RunCard[]>(page(), 'runs.list')).find(({ id }) => id === run)?.status, { timeout: 180_000 }).toBe('finished')
  const events = readFileSync(join(bench.workspace, 'runs', run, 'events.jsonl'), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as RunEvent)
  expect(events.flatMap(one => one.event === 'step' ? [one.loss.toFixed(3)] : []).slice(0, 2)).toEqual(losses)
})

test('the classes are given readable names, with the keyboard alone', async () => {
  await page().evaluate(() => { location.hash = '/new' })
  const opener = page().getByRole('button', { name: 'Class names' }), names = page().getByRole('dialog', { name: 'Class names of Handwritten digits' })
  const press = (...keys: string[]) => keys.reduce((before, key) => before.then(() => page().keyboard.press(key)), Promise.resolve())
  const values = () => names.locator('input').evaluateAll(fields => fields.map(field => (field as HTMLInputElement).value))
  const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
  await opener.focus()
  await press('Enter')
  await expect.poll(() => page().evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Name of class 0, 0 in the data')
  expect(await values()).toEqual(digits)
  await press('Control+a')
  await page().keyboard.type('one')
  await press('Enter')
  await page().keyboard.type('one')
  await press('Control+Enter')
  await names.getByText('Class 1 has this name too.').waitFor()
  await lookAround(bench, 'class-names')
  await press('Escape')
  await names.waitFor({ state: 'detached' })
  expect(await opener.evaluate(one => one === document.activeElement)).toBe(true)
  await press('Enter')
  await expect.poll(values).toEqual(digits)
  await names.locator('input').first().evaluate(field => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', 'zero\none\ntwo\n')
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  })
  await names.locator('input').nth(2).focus()
  await press('Control+Enter')
  await names.waitFor({ state: 'detached' })
  await page().locator('figcaption').getByText('zero', { exact: true }).waitFor()
  const run = (await ask<{ runs: string[] }>(page(), 'queue.add', { recipes: [draft] })).runs[0]!
  expect((await ask<RunDetail>(page(), 'runs.show', { run })).manifest.resolved).toMatchObject({ classes: digits, names: ['zero', 'one', 'two', ...digits.slice(3)] })
  await ask(page(), 'queue.remove', { runs: [run] }).catch(() => ask(page(), 'runs.stop', { run }))
  await opener.click()
  await names.getByRole('button', { name: 'As in the data' }).click()
  expect(await values()).toEqual(digits)
  await names.getByRole('button', { name: 'Save names' }).click()
  await names.waitFor({ state: 'detached' })
  await page().locator('figcaption').getByText('0', { exact: true }).waitFor()
  await expect.poll(async () => (await ask<RunCard[]>(page(), 'runs.list')).find(({ id }) => id === run)?.status ?? 'gone', { timeout: 60_000 }).not.toBe('running')
})

test('a recipe that changes forgets what was tried, one that diverges says so, and a busy device is left alone', async () => {
  await write({ ...draft, train: { ...draft.train, learningRate: 1e38, warmupEpochs: 0 } })
  await expect.poll(() => tryButton().isEnabled()).toBe(true)
  await tryButton().click()
  await page().getByText(/The loss is no longer a number at step/).waitFor({ timeout: 120_000 })
  await page().getByLabel('Seed', { exact: true }).fill('3')
  await expect.poll(() => page().getByText(/The loss is no longer a number/).count()).toBe(0)
  const { run } = await ask<{ run: string }>(page(), 'runs.start', { ...draft, train: { ...draft.train, epochs: 2000 } })
  await page().getByText('CPU is training; two steps beside it would measure neither').waitFor()
  expect(await tryButton().isDisabled()).toBe(true)
  await expect.poll(async () => (await ask<RunCard[]>(page(), 'runs.list')).find(({ id }) => id === run)?.step, { timeout: 120_000 }).toBeGreaterThan(0)
  await expect(ask(page(), 'trial.run', draft)).rejects.toThrow(/has the device; two steps beside it would measure neither/)
  await ask(page(), 'runs.stop', { run })
  expect(bench.problems).toEqual([])
})
