import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
type Bridge = { engram: { invoke(path: string, input: unknown): Promise<unknown> } }
const invoke = (path: string, input: unknown) => page().evaluate(([at, given]) => (window as unknown as Bridge).engram.invoke(at, given), [path, input] as const)
const side = () => page().locator('[data-test=cell-side]')
const size = (width: number, height: number) => bench.app.evaluate(({ BrowserWindow }, [w, h]) => BrowserWindow.getAllWindows()[0]!.setContentSize(w!, h!), [width, height])
const recipe = (type: string) => ({
  name: `digits ${type}`, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 200, split: { validation: 40 } }, method: { type },
  train: { epochs: 3, batchSize: 32, learningRate: 0.02 },
})

async function train(type: string): Promise<string> {
  const { value: { run } } = await invoke('runs.start', recipe(type)) as { ok: boolean; value: { run: string } }
  const status = async () => (await invoke('runs.show', { run }) as { value: { card: { status: string } } }).value.card.status
  await expect.poll(status, { timeout: 180_000, interval: 500 }).toBe('finished')
  return run
}

beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

let run = ''
test('a finished run shows its test predictions', async () => {
  await train('linear-probe')
  run = await train('ssf')
  await page().goto(`${page().url().split('#')[0]}#/runs/${run}/evaluation`)
  await page().locator('[data-test=evaluation-tiles]').waitFor()
  expect(await page().locator('[data-test=evaluation-tiles]').innerText()).toMatch(/%\s*± \d\.\d[\s\S]*test accuracy, 95 % interval[\s\S]*macro F1[\s\S]*of 2,000/)
  await page().locator('[data-test=matrix]').waitFor()
})

test('a click through the matrix opens the images of the cell', async () => {
  const matrix = page().locator('[data-test=matrix]')
  const box = (await matrix.boundingBox())!
  await matrix.click({ position: { x: box.width * 0.15, y: box.height * 0.15 } })
  await expect.poll(() => side().innerText()).toMatch(/images in this cell[\s\S]*True\s*1[\s\S]*Predicted\s*1/)
  const first = side().locator('img').first()
  await expect.poll(() => first.evaluate(image => (image as HTMLImageElement).naturalWidth)).toBe(28)
  await matrix.press('ArrowRight')
  await expect.poll(() => side().innerText()).toMatch(/True\s*1[\s\S]*Predicted\s*2/)
  await matrix.press('ArrowLeft')
  await side().locator('.image').nth(2).click()
  expect(await side().locator('footer .mono').innerText()).toMatch(/^test\/\d+$/)
})

test('another run stands beside it, with a verdict in words', async () => {
  await page().getByRole('button', { name: /^Beside/ }).click()
  await page().getByText('digits linear-probe', { exact: true }).last().click()
  await expect.poll(() => page().locator('[data-test=verdict]').innerText()).toMatch(/This run is .* digits linear-probe.*McNemar p .* samples/)
  await page().getByRole('button', { name: /^Show all/ }).click()
  await expect.poll(() => side().innerText()).toMatch(/mistakes/)
  for (const theme of ['light', 'dark']) {
    await invoke('settings.set', { theme })
    await page().reload()
    await page().locator('[data-test=matrix]').waitFor()
    await page().getByRole('button', { name: /^Beside/ }).click()
    await page().getByText('digits linear-probe', { exact: true }).last().click()
    for (const [width, height] of [[1440, 900], [1024, 700]] as const) {
      await size(width, height)
      await page().waitForTimeout(700)
      await shot(`evaluation-${theme}-${width}`)
    }
    await size(1440, 900)
  }
})

test('another checkpoint is evaluated from here', async () => {
  await page().getByRole('button', { name: /^Checkpoint/ }).click()
  const steps = page().getByRole('menuitem', { name: /step/ })
  await steps.last().waitFor()
  const labels = await steps.allInnerTexts()
  const other = labels.findIndex(label => !label.includes('best'))
  await steps.nth(other).click()
  await page().locator('[data-test=evaluate]').click()
  await page().locator('[data-test=evaluation-tiles]').waitFor({ timeout: 120_000 })
})

test('an evaluation is cancelled, also after the page was loaded anew; what was measured stays', async () => {
  await page().getByRole('button', { name: 'Evaluate again' }).click()
  await page().getByRole('button', { name: 'Cancel evaluation' }).waitFor()
  await page().reload()
  await page().getByRole('button', { name: 'Cancel evaluation' }).click()
  await expect.poll(() => page().getByRole('button', { name: 'Cancel evaluation' }).count()).toBe(0)
  await page().locator('[data-test=evaluation-tiles]').waitFor()
  expect(await page().getByRole('alert').count()).toBe(0)
})

test('images of one\'s own are tried, tuned beside the backbone', async () => {
  await page().locator('[data-test=try]').click()
  const files = ['tests/main/data/fixtures/sharp.png', 'tests/main/data/fixtures/lossy.webp', 'package.json'].map(file => resolve(file))
  await page().locator('input[type=file]').setInputFiles(files)
  await expect.poll(() => page().locator('[data-test=tried]').count(), { timeout: 120_000 }).toBe(2)
  const words = await page().locator('[role=dialog]').innerText()
  expect(words).toMatch(/Tuned[\s\S]*Backbone, own head[\s\S]*class \d/)
  expect(words).toMatch(/package\.json cannot be read as an image: /)
  await shot('try-dark')
  await page().keyboard.press('Escape')
  expect(bench.problems).toEqual([])
})

test('a run that began after the classes were named shows and exports the names', async () => {
  const names = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
  await invoke('datasets.nameClasses', { id: 'digits', names })
  const named = await train('ssf')
  await page().goto(`${page().url().split('#')[0]}#/runs/${named}/evaluation`)
  await page().reload()
  await page().locator('[data-test=matrix]').waitFor()
  await expect.poll(() => side().innerText()).toMatch(/True\s*(zero|one|two|three|four|five|six|seven|eight|nine)/)
  await page().getByRole('button', { name: /^Beside/ }).click()
  await page().getByText('digits linear-probe', { exact: true }).last().click()
  await expect.poll(() => page().locator('[data-test=verdict]').innerText()).toMatch(/against \d+ samples/)
  await shot('evaluation-named-1440')
  await page().getByRole('radio', { name: 'As table' }).click()
  await page().getByRole('rowheader', { name: 'seven' }).waitFor()
  const out = join(bench.workspace, 'named')
  await invoke('exports.create', { run: named, as: 'merged', out })
  expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ label_names: names })
  const { value } = await invoke('evaluations.predict', { run: named, files: [resolve('tests/main/data/fixtures/sharp.png')] }) as { value: { top: { label: string }[] }[] }
  expect(names).toContain(value[0]!.top[0]!.label)
  await page().goto(`${page().url().split('#')[0]}#/runs/${run}/evaluation`)
  await expect.poll(() => side().innerText()).toMatch(/True\s*\d/)
  expect(bench.problems).toEqual([])
})
