import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { png } from '../main/data/support/index'
import { dragMouse, openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const folder = join(mkdtempSync(join(tmpdir(), 'engram-e2e-data-')), 'pets')
const images: Record<string, Uint8Array> = {
  'train/cat/1.png': png(1, 64, 64), 'train/cat/2.png': png(2, 64, 64), 'train/dog/3.png': png(3, 64, 64), 'train/dog/4.png': png(4, 64, 64), 'test/cat/9.png': png(1, 64, 64), 'test/dog/8.png': png(8, 64, 64),
}

/** Electron tells a page the path of a file that came from the system alone, so the drop carries a real one, chosen through an input. */
async function drag(kind: 'dragover' | 'drop', path: string): Promise<void> {
  const input = await page().evaluateHandle(() => {
    const made = document.createElement('input')
    made.type = 'file'
    return document.body.appendChild(made)
  })
  await input.setInputFiles(path)
  await input.evaluate((made, type) => {
    const data = new DataTransfer()
    data.items.add(made.files![0]!)
    window.dispatchEvent(new DragEvent(type, { dataTransfer: data, cancelable: true }))
    made.remove()
  }, kind)
}

beforeAll(async () => {
  for (const [name, bytes] of Object.entries(images)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
  const rows = Object.keys(images).map(name => `${name} ${name.includes('cat') ? 0 : 1}`)
  writeFileSync(join(folder, 'train.txt'), rows.filter(row => row.startsWith('train')).join('\n'))
  writeFileSync(join(folder, 'test.txt'), rows.filter(row => row.startsWith('test')).join('\n'))
  bench = await openWorkbench()
}, 90_000)
afterAll(async () => { await bench.close() })

test('a list file dropped on the page becomes a dataset, and its duplicates across splits are shown', async () => {
  await goTo('Datasets')
  await page().getByText(/No two of [\d,]+ images are the same file|more than once/).first().waitFor()
  await drag('dragover', join(folder, 'train.txt'))
  await page().getByText(/^Drop a folder of images/).waitFor()
  await shot('datasets-drag')
  await drag('drop', join(folder, 'train.txt'))
  await page().locator('h2').getByText('train', { exact: true }).or(page().locator('h2').getByText('pets', { exact: true })).first().waitFor()
  expect(await page().locator('[data-test=drop-data]').count()).toBe(0)
  await page().evaluate(path => (window as unknown as { engram: { invoke(name: string, input: unknown): Promise<unknown> } }).engram.invoke('datasets.add', { path }), folder)
  await page().reload()
  await page().getByRole('navigation', { name: 'Datasets' }).getByText('pets').last().click()
  await page().getByText('1 image is here more than once; 1 validation or test image is in another split too', { exact: false }).waitFor()
  await page().getByText('test/cat/9.png').waitFor()
  await shot('datasets-duplicates')
})

test('a dropped file that is no dataset says why', async () => {
  await drag('drop', join(folder, 'train/cat/1.png'))
  await page().getByText(/is not a dataset that Engram reads/).waitFor()
  expect(bench.problems).toEqual([])
})

test('the list is made wider by dragging and by keys, stays so after a reload, and has its usual width back', async () => {
  const grip = page().getByRole('separator', { name: 'Width of Datasets' })
  const width = () => grip.evaluate(one => one.parentElement!.offsetWidth)
  await grip.waitFor()
  const usual = await width()
  await dragMouse(page(), grip, { x: 3, y: 100 }, { x: 63, y: 100 })
  expect(await width()).toBe(usual + 60)
  await grip.focus()
  await page().keyboard.press('ArrowRight')
  expect(await width()).toBe(usual + 76)
  await page().keyboard.press('End')
  const widest = await width()
  expect(widest).toBeLessThan(await page().evaluate(() => innerWidth * 0.55))
  await page().keyboard.press('Shift+ArrowLeft')
  await page().reload()
  await grip.waitFor()
  expect(await width()).toBe(widest - 64)
  await expect.poll(() => grip.getAttribute('aria-valuenow')).toBe(String(widest - 64))
  await grip.dblclick({ position: { x: 3, y: 60 } })
  expect(await width()).toBe(usual)
})

test('in the dark and in a small window', async () => {
  await goTo('Settings')
  await page().getByRole('radio', { name: 'Dark', exact: true }).click()
  await goTo('Datasets')
  await page().getByRole('navigation', { name: 'Datasets' }).getByText('pets').last().click()
  await page().getByText('test/cat/9.png').waitFor()
  await bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1024, 700))
  await page().waitForTimeout(600)
  await shot('datasets-small')
})
