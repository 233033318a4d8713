import { mkdtempSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeRuns } from '../../bench/runs/synthetic'
import { openWorkspace, type Workspace } from '../../src/main/store/paths'
import { dragMouse, openWorkbench, type Workbench } from './window'

const count = 300
let bench: Workbench
let workspace: Workspace
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const table = () => page().getByRole('table', { name: 'Runs' })
const lines = () => table().locator('[data-run]')
const total = async () => Number(await table().getAttribute('aria-rowcount').catch(() => '1')) - 1
const search = () => page().getByLabel('Search runs')
const expectRows = (rows: number) => expect.poll(total, { timeout: 20_000 }).toBe(rows)
const tab = (name: RegExp) => page().getByRole('tab', { name }).click()

beforeAll(async () => {
  workspace = openWorkspace(mkdtempSync(join(tmpdir(), 'engram-e2e-runs-')))
  writeRuns(workspace, count, 50)
  bench = await openWorkbench(workspace.root)
}, 120_000)
afterAll(async () => { await bench.close() })

test('a table of hundreds of runs shows only the rows that are seen, and is searched as one types', async () => {
  await expectRows(count)
  expect(await lines().count()).toBeLessThan(100)
  await expect.poll(() => table().locator('svg path').count(), { timeout: 20_000 }).toBeGreaterThan(20)
  await shot('runs')
  await page().keyboard.press('/')
  await page().keyboard.type('pets lora')
  await expect.poll(total).toBeLessThan(40)
  for (const name of await lines().allInnerTexts()) expect(name.toLowerCase()).toMatch(/pets lora/)
  await search().fill('no such run')
  await page().getByText('No run matches “no such run”.').waitFor()
  await page().getByRole('button', { name: 'Clear filters' }).click()
  await expectRows(count)
})

test('rows are reached by the keyboard, also those that were not drawn', async () => {
  await lines().first().focus()
  await page().keyboard.press('ArrowDown')
  await page().keyboard.press('End')
  await expect.poll(() => page().evaluate(() => document.activeElement?.getAttribute('data-run') ?? '')).toMatch(/-0-\d{6}/)
  await page().keyboard.press('Home')
  await page().keyboard.press(' ')
  await page().getByText('1 run selected').waitFor()
  await page().keyboard.press('Escape')
})

test('runs are filtered and grouped by a field of the recipe, and the view is kept as a tab', async () => {
  await page().getByRole('button', { name: 'Filter', exact: true }).click()
  const editor = page().getByRole('form', { name: 'Filter' })
  await editor.getByLabel('Field').fill('learningRate')
  await page().getByText('Learning rate, train.learningRate').click()
  await editor.getByText('0.005').click()
  await editor.getByRole('button', { name: 'Apply filter' }).click()
  const filtered = await expect.poll(total).toBeLessThan(count).then(total)
  await page().getByLabel('Group runs').fill('dataset')
  await page().getByText('By dataset', { exact: true }).click()
  await expect.poll(() => table().getByRole('button', { expanded: true }).count()).toBeGreaterThan(0)
  await shot('runs-grouped')
  expect(await total()).toBeGreaterThan(filtered)
  await table().getByRole('button', { expanded: true }).first().click()
  await expect.poll(() => table().getByRole('button', { expanded: false }).count()).toBe(1)
  await page().getByRole('button', { name: 'Save view' }).click()
  await page().getByLabel('Name of the view').fill('Half a hundredth')
  await page().locator('form').getByRole('button', { name: 'Save view' }).click()
  await page().getByRole('tab', { name: 'Half a hundredth' }).waitFor()
  await page().reload()
  expect(await page().getByRole('tab', { name: 'Half a hundredth' }).getAttribute('aria-selected')).toBe('true')
  await page().getByText('Learning rate is 0.005').waitFor()
  await tab(/^All/)
  await expectRows(count)
})

test('a favourite, a tag and the archive are kept with the run', async () => {
  await lines().nth(0).getByRole('button', { name: /^Favourite/ }).click()
  await tab(/^Favourites/)
  await expectRows(1)
  const run = await lines().first().getAttribute('data-run')
  const labels = () => JSON.parse(readFileSync(join(workspace.runs, run!, 'labels.json'), 'utf8')) as object
  expect(labels()).toMatchObject({ favourite: true })
  await lines().first().getByRole('checkbox').click()
  await page().getByRole('button', { name: 'Tag', exact: true }).click()
  await page().getByLabel('Tag', { exact: true }).fill('camera ready')
  await page().keyboard.press('Enter')
  await expect.poll(labels).toMatchObject({ tags: ['camera ready'] })
  await page().getByRole('button', { name: 'Archive', exact: true }).click()
  await page().getByText(/^No run matches/).waitFor()
  await tab(/^Archived/)
  await expectRows(1)
  await search().fill('camera')
  await expectRows(1)
  await page().getByRole('button', { name: 'Clear search' }).click()
  await tab(/^All/)
  await expectRows(count - 1)
})

test('several runs are removed at once, and come back by Undo', async () => {
  await lines().nth(1).getByRole('checkbox').click()
  await lines().nth(4).getByRole('checkbox').click({ modifiers: ['Shift'] })
  await page().getByText('4 runs selected').waitFor()
  await page().getByRole('button', { name: 'Remove', exact: true }).click()
  await expectRows(count - 5)
  await page().getByRole('button', { name: 'Undo' }).click()
  await expectRows(count - 1)
})

test('a run that another program takes away leaves the table', async () => {
  const run = (await lines().nth(2).getAttribute('data-run'))!
  renameSync(join(workspace.runs, run), join(workspace.trash, run))
  await expectRows(count - 2)
})

test('runs are exported as CSV', async () => {
  const file = join(bench.shots, 'runs.csv')
  await bench.app.evaluate(({ session }, path) => { session.defaultSession.on('will-download', (_, item) => item.setSavePath(path)) }, file)
  const written = () => { try { return readFileSync(file, 'utf8').trimEnd().split('\r\n').length } catch { return 0 } }
  await page().getByRole('button', { name: 'Export table' }).click()
  await expect.poll(written).toBe(count - 1)
  await lines().nth(0).getByRole('checkbox').click()
  await lines().nth(2).getByRole('checkbox').click({ modifiers: ['Shift'] })
  await page().getByRole('button', { name: 'Export CSV' }).click()
  await expect.poll(written).toBe(4)
  expect(readFileSync(file, 'utf8')).toMatch(/^run,name,status,.*test\/accuracy/)
})

test('chosen runs are compared: curves, differences only, all fields, order and baseline', async () => {
  await page().getByRole('button', { name: /^Compare 3 runs/ }).waitFor()
  await page().waitForTimeout(700)
  await shot('runs-tray')
  const grip = page().getByRole('separator', { name: 'Height of Selected runs' }), height = () => grip.evaluate(one => one.parentElement!.offsetHeight)
  const usual = await height()
  await dragMouse(page(), grip, { x: 200, y: 3 }, { x: 200, y: -47 })
  expect(await height()).toBe(usual + 50)
  await grip.focus()
  await page().keyboard.press('ArrowUp')
  expect(await height()).toBe(usual + 66)
  await page().keyboard.press('Enter')
  expect(await height()).toBe(usual)
  await page().keyboard.press('c')
  await page().waitForURL(/#\/compare\?/)
  const recipes = page().getByRole('region', { name: 'Recipes' })
  await recipes.getByText('method.type', { exact: true }).waitFor()
  expect(await recipes.getByText('train.epochs', { exact: true }).count()).toBe(0)
  await recipes.getByRole('radio', { name: 'All' }).click()
  await recipes.getByText('train.epochs', { exact: true }).waitFor()
  await recipes.getByRole('radio', { name: 'Differences only' }).click()
  const list = page().getByRole('list', { name: 'Compared runs, in order' }).locator('[data-run]')
  const first = await list.first().getAttribute('data-run')
  await list.first().focus()
  await page().keyboard.press('Alt+ArrowDown')
  await expect.poll(() => list.nth(1).getAttribute('data-run')).toBe(first)
  await list.nth(2).getByRole('button', { name: /baseline/ }).click()
  await expect.poll(() => list.nth(2).innerText()).toContain('baseline')
  await page().waitForTimeout(700)
  await shot('compare')
  const address = page().url()
  await page().reload()
  await list.nth(1).waitFor()
  expect(page().url()).toBe(address)
})

test('both themes and a small window', async () => {
  for (const theme of ['Light', 'Dark'] as const) {
    await goTo('Settings')
    await page().getByRole('radio', { name: theme, exact: true }).click()
    await goTo('Runs')
    await page().waitForTimeout(800)
    await shot(`runs-${theme.toLowerCase()}`)
    await page().keyboard.press('c')
    await page().waitForURL(/#\/compare\?/)
    await page().waitForTimeout(900)
    await shot(`compare-${theme.toLowerCase()}`)
  }
  await bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1024, 700))
  await page().waitForTimeout(800)
  await shot('compare-small')
  await goTo('Runs')
  await page().waitForTimeout(800)
  await shot('runs-small')
  expect(bench.problems).toEqual([])
})
