import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, openWorkbench, type Workbench } from './window'

interface Violation { id: string; impact: string; help: string; nodes: { target: string[]; failureSummary: string }[] }
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const recipe = (seed: number) => ({
  name: `digits ssf ${seed}`, seed, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 200, split: { validation: 40 } }, method: { type: 'ssf', san: {} },
  train: { epochs: 2, batchSize: 32, learningRate: 0.02 },
})

let bench: Workbench
let runs: string[] = []
const page = (): Page => bench.page
beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

/** What of the page as it is now keeps somebody out, one line a finding. */
async function serious(): Promise<string[]> {
  const { violations } = await page().evaluate('axe.run(document, { resultTypes: ["violations"] })') as { violations: Violation[] }
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.split('\n').slice(1, 2).join('').trim()}`))
}

async function goTo(address: string): Promise<void> {
  await page().evaluate(hash => { location.hash = hash }, address)
  await page().locator('.view h1').waitFor()
  await page().waitForTimeout(700)
}

const routes = (): [string, string][] => [
  ['runs', '/runs'], ['new', '/new'], ['queue', '/queue'], ['checkpoints', '/checkpoints'], ['datasets', '/datasets'], ['backbones', '/backbones'], ['matrix', '/matrix'], ['settings', '/settings'],
  ['compare', '/compare'], ...['', 'engram', 'evaluation', 'checkpoints', 'recipe', 'log'].map((tab): [string, string] => [`run-${tab || 'overview'}`, `/runs/${runs[0]}/${tab}`]),
]

async function visit(name: string): Promise<string[]> {
  const found: string[] = []
  for (const [view, address] of routes()) {
    await goTo(address)
    found.push(...(await serious()).map(line => `${name} ${view}: ${line}`))
    await page().screenshot({ path: join(bench.shots, `${view}-${name}.png`) })
  }
  return found
}

test('the empty workspace', async () => {
  await page().evaluate(axe)
  await page().getByText('No runs yet').waitFor()
  expect(await serious()).toEqual([])
})

test('every view, light and dark, at both ends of its sizes', { timeout: 600_000 }, async () => {
  for (const seed of [0, 1]) runs.push((await ask<{ run: string }>(page(), 'runs.start', recipe(seed))).run)
  const states = async () => (await ask<{ status: string }[]>(page(), 'runs.list')).map(({ status }) => status)
  await expect.poll(states, { timeout: 240_000, interval: 500 }).toEqual(['finished', 'finished'])
  runs = runs.slice(0, 1)
  await goTo('/runs')
  for (const box of await page().getByRole('row').getByRole('checkbox').all()) if (await box.getAttribute('aria-checked') !== 'true') await box.click()
  const found: string[] = []
  for (const [theme, width, height] of [['light', 1440, 900], ['light', 1024, 700], ['dark', 1440, 900], ['dark', 1024, 700]] as const) {
    await bench.app.evaluate(({ BrowserWindow }, [w, h]) => BrowserWindow.getAllWindows()[0]!.setContentSize(w, h), [width, height] as const)
    await goTo('/settings')
    await page().getByRole('radio', { name: theme === 'light' ? 'Light' : 'Dark', exact: true }).click()
    found.push(...await visit(`${theme}-${width}`))
  }
  expect(found).toEqual([])
  expect(bench.problems).toEqual([])
})

/** Whatever lies over a page: where it is opened, by what, and what it then is. */
const openings = (): { name: string; address: string; open: () => Promise<unknown>; role?: 'dialog' | 'menu' | 'listbox' }[] => [
  { name: 'palette', address: '/runs', open: () => page().keyboard.press('Control+k') },
  { name: 'shortcuts', address: '/runs', open: () => page().keyboard.press('?') },
  { name: 'filter', address: '/runs', open: () => button('Filter'), role: 'dialog' },
  { name: 'columns', address: '/runs', open: () => button(/^Columns/), role: 'dialog' },
  { name: 'save view', address: '/runs', open: () => button('Save view'), role: 'dialog' },
  { name: 'menu of a row', address: '/runs', open: () => page().getByRole('row').nth(1).click({ button: 'right' }), role: 'menu' },
  { name: 'menu of a run', address: `/runs/${runs[0]}`, open: () => button('More actions'), role: 'menu' },
  { name: 'export', address: `/runs/${runs[0]}/checkpoints`, open: () => button('Export'), role: 'dialog' },
  { name: 'delete a checkpoint', address: `/runs/${runs[0]}/checkpoints`, open: () => button('Delete checkpoint'), role: 'dialog' },
  { name: 'restart', address: `/runs/${runs[0]}/checkpoints`, open: () => button('Restart from here'), role: 'dialog' },
  { name: 'prune', address: '/checkpoints', open: () => button('Prune'), role: 'dialog' },
  { name: 'clear the cache', address: '/datasets', open: () => button('Clear cache'), role: 'dialog' },
  { name: 'sites of the map', address: `/runs/${runs[0]}/engram`, open: () => button(/^Sites/), role: 'dialog' },
  { name: 'try images', address: `/runs/${runs[0]}`, open: () => page().locator('[data-test=try]').click(), role: 'dialog' },
  { name: 'checkpoint of the evaluation', address: `/runs/${runs[0]}/evaluation`, open: () => button(/^Checkpoint/), role: 'menu' },
  { name: 'recipes', address: '/new', open: () => button('Load recipe'), role: 'menu' },
  { name: 'export of the matrix', address: '/matrix', open: () => button('Export table'), role: 'menu' },
]
const button = (name: string | RegExp) => page().getByRole('button', { name, exact: true }).first().click()

test('what opens over a page', { timeout: 600_000 }, async () => {
  const found: string[] = []
  for (const theme of ['light', 'dark'] as const) {
    await ask(page(), 'settings.set', { theme })
    await page().reload()
    await page().evaluate(axe)
    for (const { name, address, open, role } of openings()) {
      await goTo(address)
      await open()
      if (role) await page().getByRole(role).first().waitFor()
      await page().waitForTimeout(400)
      found.push(...(await serious()).map(line => `${theme} ${name}: ${line}`))
      await page().screenshot({ path: join(bench.shots, `open-${name.replaceAll(' ', '-')}-${theme}.png`) })
      await page().keyboard.press('Escape')
      if (role) await page().getByRole(role).first().waitFor({ state: 'detached' })
    }
  }
  expect(found).toEqual([])
  expect(bench.problems).toEqual([])
})

test('nothing moves by itself where a person wants less motion', async () => {
  await page().emulateMedia({ reducedMotion: 'reduce' })
  const { run } = await ask<{ run: string }>(page(), 'runs.start', { ...recipe(2), train: { epochs: 200, batchSize: 32 } })
  await goTo(`/runs/${run}`)
  await page().locator('.head').getByText('Running', { exact: true }).waitFor({ timeout: 60_000 })
  const moving = () => page().evaluate(() => document.getAnimations().filter(one => one.playState === 'running').map(one => (one.effect as KeyframeEffect).target?.className))
  const turn = () => page().locator('.head .status-icon').evaluate(icon => getComputedStyle(icon).rotate)
  expect(await moving()).toEqual([])
  await button('More actions')
  expect(await moving()).toEqual([])
  await page().keyboard.press('Escape')
  await page().keyboard.press('Control+b')
  await page().locator('[data-test=try]').click({ timeout: 60_000 })
  expect(await moving()).toEqual([])
  await page().keyboard.press('Escape')
  expect(await turn()).toBe('none')
  await page().emulateMedia({ reducedMotion: 'no-preference' })
  const before = await turn()
  await expect.poll(turn, { timeout: 10_000 }).not.toBe(before)
  await ask(page(), 'runs.stop', { run })
})
