import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dragMouse, openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `engram-${name}.png`) })
const ask = <T>(path: string, input?: unknown) => page().evaluate(async ([path, input]) => {
  const reply = await (window as unknown as { engram: { invoke(path: unknown, input: unknown): Promise<{ ok: boolean; value: unknown; error: unknown }> } }).engram.invoke(path, input)
  if (!reply.ok) throw new Error(JSON.stringify(reply.error))
  return reply.value
}, [path, input]) as Promise<T>
const recipe = (name: string, method: object, seed = 0) => ({
  name, seed, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 300 }, method,
  train: { epochs: 2, batchSize: 32, learningRate: 0.02, warmupEpochs: 0 }, checkpoints: { everySteps: 3 },
})
const finished = (run: string) => expect.poll(async () => (await ask<{ card: { status: string } }>('runs.show', { run })).card.status, { timeout: 180_000, interval: 500 }).toBe('finished')
const open = async (run: string) => {
  await page().evaluate(hash => { location.hash = hash }, `/runs/${run}/engram`)
  await page().getByRole('tab', { name: 'Engram' }).waitFor()
}
const size = (width: number, height: number) => bench.app.evaluate(({ BrowserWindow }, [w, h]) => BrowserWindow.getAllWindows()[0]!.setContentSize(w!, h!), [width, height])
const scrubber = () => page().locator('[data-test=scrubber]')
const map = () => page().locator('[data-test=gain-map]')
const runs: Record<'ssf' | 'other' | 'probe', string> = { ssf: '', other: '', probe: '' }

beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

test('gains are recorded from the start of training to its end', async () => {
  const start = async (draft: object) => (await ask<{ run: string }>('runs.start', draft)).run
  runs.ssf = await start(recipe('san ssf', { type: 'ssf', san: {} }))
  runs.other = await start(recipe('san ssf, seed 1', { type: 'ssf', san: {} }, 1))
  runs.probe = await start(recipe('probe', { type: 'linear-probe' }))
  for (const run of Object.values(runs)) await finished(run)
  const { records, map: recorded } = await ask<{ records: { step: number; distances: number[] }[]; map: { sites: { gain: string | null }[]; paths: unknown[] } }>('engram.show', { run: runs.ssf })
  expect(records[0]!.step).toBe(0)
  expect(records[0]!.distances.every(distance => distance === 0)).toBe(true)
  expect(records.length).toBeGreaterThan(3)
  expect(Math.min(...records.at(-1)!.distances)).toBeGreaterThan(0)
  expect(recorded.sites.filter(site => site.gain === 'own')).toHaveLength(records[0]!.distances.length)
  expect(recorded.paths).toHaveLength(18)
})

test('the map is walked by keys, and the scrubber by keys and by dragging', async () => {
  await size(1440, 900)
  await open(runs.ssf)
  await map().waitFor()
  const title = () => page().getByRole('heading', { name: /^Propagation in block/ }).innerText()
  await map().focus()
  for (let i = 0; i < 6; i++) await page().keyboard.press('PageUp')
  expect(await title()).toBe('Propagation in block 0')
  await page().keyboard.press('PageDown')
  expect(await title()).toBe('Propagation in block 1')
  await page().keyboard.press('Home')
  await page().keyboard.press('ArrowRight')
  expect(await page().locator('.tip').innerText()).toMatch(/channel 1\n/)
  await shot('map-light')
  const last = await scrubber().getAttribute('aria-valuenow')
  await scrubber().focus()
  await page().keyboard.press('Home')
  await expect.poll(() => scrubber().getAttribute('aria-valuenow')).toBe('0')
  await page().getByText('None.').first().waitFor()
  const { width } = (await scrubber().boundingBox())!
  await dragMouse(page(), scrubber(), { x: 60, y: 50 }, { x: width - 10, y: 50 })
  await expect.poll(() => scrubber().getAttribute('aria-valuenow')).toBe(last)
})

test('shifts, arriving scales and another run are shown, and every chart is a table too', async () => {
  await page().getByRole('radio', { name: 'Shift β' }).click()
  await page().getByText('|shift|').waitFor()
  await page().getByRole('radio', { name: 'Propagated' }).click()
  await page().getByRole('radio', { name: 'Gain γ' }).click()
  await page().locator('[data-test=subtract]').click()
  await page().getByText('san ssf, seed 1').last().click()
  await page().getByText('more than the other').waitFor()
  await shot('against-light')
  await page().getByRole('button', { name: 'As table' }).click()
  await expect.poll(() => page().locator('[aria-label="Layers at the chosen step"] tbody tr').count()).toBe(24)
  await page().getByRole('button', { name: 'As table' }).click()
})

test.each([['Map as PNG', 'map.png', /^.PNG/], ['Map as CSV', 'map.csv', /^step,layer,block,of,channel,value\r\n16,blocks/], [/^Propagation in block \d as PNG$/, 'paths.png', /^.PNG/], ['All propagation as CSV', 'paths.csv', /^step,from,to[^]*attention,yes/]])('%s is exported', async (item, name, content) => {
  const file = join(bench.shots, `engram-${name}`)
  await bench.app.evaluate(({ session }, path) => { session.defaultSession.once('will-download', (_, download) => download.setSavePath(path)) }, file)
  await page().getByRole('button', { name: 'Export', exact: true }).click()
  await page().getByRole('menuitem', { name: item }).click()
  await expect.poll(() => { try { return readFileSync(file, 'latin1') } catch { return '' } }).toMatch(content)
})

test('another run lies over the charts of one, with the keyboard alone, and stays until it is taken off', async () => {
  const overview = (run: string) => page().evaluate(hash => { location.hash = hash }, `/runs/${run}/`)
  const overlaid = page().locator('[data-test=overlaid]')
  await overview(runs.ssf)
  await page().locator('[data-test=overlay]').waitFor()
  await page().keyboard.press('o')
  await page().getByLabel('Run to overlay: find by name').fill('jaguar')
  await page().getByText('No run is called “jaguar”.').waitFor()
  await page().getByLabel('Run to overlay: find by name').fill('seed 1')
  await page().keyboard.press('ArrowDown')
  await page().keyboard.press('Enter')
  await overlaid.getByText('san ssf, seed 1').waitFor()
  await page().keyboard.press('t')
  await page().getByRole('columnheader', { name: 'san ssf, seed 1, validation' }).first().waitFor()
  await page().keyboard.press('t')
  await shot('overlay-light')
  await overview(runs.probe)
  await page().getByRole('heading', { name: 'probe' }).waitFor()
  expect(await overlaid.count()).toBe(0)
  await overview(runs.ssf)
  await overlaid.waitFor()
  await overlaid.getByRole('button', { name: 'Remove the overlay' }).click()
  await expect.poll(() => overlaid.count()).toBe(0)
  await page().locator('[data-test=overlay]').click()
  await page().getByLabel('Run to overlay: find by name').fill('seed 1')
  await page().keyboard.press('Enter')
  await overlaid.waitFor()
  await page().getByRole('dialog', { name: 'Run to overlay' }).waitFor({ state: 'detached' })
  await open(runs.ssf)
  await map().waitFor()
})

test('layers and runs are compared', async () => {
  await page().getByRole('radio', { name: 'Similarity' }).click()
  await page().getByText('Joined by propagation').waitFor()
  await shot('similarity-light')
  await page().getByRole('radio', { name: 'Divergence' }).click()
  await page().getByText('Our reading of the paper').waitFor()
  await page().getByRole('radio', { name: 'Runs and tasks' }).click()
  await page().locator('[data-test=similar-runs]').click()
  await page().getByText('san ssf, seed 1').last().click()
  await expect.poll(() => page().locator('.matrix rect').count()).toBe(4)
  await page().keyboard.press('Escape')
})

test('a run without gains says why', async () => {
  await open(runs.probe)
  expect(await page().locator('[data-test=engram-empty]').innerText()).toMatch(/adapts no layer/)
})

test('a run from before gains were recorded has them computed from its checkpoints', async () => {
  const { card } = await ask<{ card: { folder: string } }>('runs.show', { run: runs.other })
  rmSync(join(card.folder, 'gains'), { recursive: true })
  await open(runs.other)
  await page().getByRole('button', { name: /^Compute from \d checkpoints$/ }).click()
  await page().getByRole('radio', { name: 'Map', exact: true }).click({ timeout: 90_000 })
  await map().waitFor()
  expect(await scrubber().getAttribute('aria-valuemin')).toBe('0')
  expect(await scrubber().getAttribute('aria-valuemax')).toBe('16')
})

test('the page holds at 1024 by 700 and in the dark', async () => {
  await ask('settings.set', { theme: 'dark' })
  await page().reload()
  for (const [width, height] of [[1440, 900], [1024, 700]] as const) {
    await size(width, height)
    await open(runs.ssf)
    await map().waitFor()
    await page().waitForTimeout(400)
    await shot(`map-dark-${width}`)
    await page().getByRole('radio', { name: 'Similarity' }).click()
    await page().waitForTimeout(300)
    await shot(`similarity-dark-${width}`)
    await page().getByRole('radio', { name: 'Map', exact: true }).click()
  }
  await page().keyboard.press('i')
  await page().getByRole('heading', { name: /^Propagation in block/ }).waitFor()
  await shot('drawer-dark-1024')
  expect(bench.problems).toEqual([])
})
