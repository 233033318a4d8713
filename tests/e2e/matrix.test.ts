import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeRecipes } from '../../bench/runs/synthetic'
import { openWorkspace } from '../../src/main/store/paths'
import { openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const goTo = (name: string) => page().getByRole('link', { name, exact: true }).first().click()
const table = () => page().getByRole('table', { name: 'Accuracy by method and dataset' })
const row = (name: string) => table().getByRole('row').filter({ has: page().getByRole('rowheader', { name, exact: true }) })
const backbone = { from: 'fashion-vit' }
const ssf = (seed: number, san: Record<string, unknown> | null, data = 'digits') => ({ name: `ssf ${seed}`, seed, backbone, data: { from: data }, method: { type: 'ssf', san }, train: { epochs: 10 } })

beforeAll(async () => {
  const workspace = openWorkspace(mkdtempSync(join(tmpdir(), 'engram-e2e-matrix-')))
  const lora = { name: 'lora', backbone, data: { from: 'digits' }, method: { type: 'lora', rank: 8 }, train: { epochs: 10 } }
  writeRecipes(workspace, [ssf(0, null), ssf(1, null), ssf(2, null), ssf(0, {}), ssf(1, {}), lora, ssf(0, null, 'cifar100'), ssf(0, {}, 'cifar100')], 40)
  bench = await openWorkbench(workspace.root)
}, 120_000)
afterAll(async () => { await bench.close() })

test('cells hold mean and deviation over seeds, and the paper\'s number beside ours', async () => {
  await goTo('Matrix')
  await row('SSF').getByText(/^\d\d\.\d ± \d+\.\d$/).waitFor()
  await row('SSF').getByText('3 seeds').waitFor()
  await row('SSF').getByText('paper 94.0').waitFor()
  await row('SAN + SSF').getByText('paper 94.2').waitFor()
  await row('LoRA-8').getByText('1 seed').waitFor()
  expect(await table().locator('.value.b').count()).toBe(2)
  await shot('matrix-light')
})

test('an empty cell queues a run with the same backbone; a filled one its next seed', async () => {
  await page().evaluate(`window.engram.invoke('queue.pause', { lane: 'cpu', paused: true })`)
  await page().getByRole('button', { name: 'Queue Linear probe on Handwritten digits' }).click()
  await page().getByText(/^Queued 1 run/).waitFor()
  await row('Linear probe').getByText('1 queued', { exact: true }).waitFor()
  await row('SSF').getByRole('button', { name: 'Queue the next seed' }).last().click()
  await row('SSF').getByText('1 queued, 3 seeds').waitFor()
  const { value } = await page().evaluate(`window.engram.invoke('runs.list')`) as { value: { status: string; method: string; seed: number; backbone: string; data: string }[] }
  const queued = value.filter(run => run.status === 'queued').map(({ method, seed, backbone: from, data }) => ({ method, seed, from, data }))
  expect(queued).toEqual(expect.arrayContaining([{ method: 'linear-probe', seed: 0, from: 'fashion-vit', data: 'digits' }, { method: 'ssf', seed: 3, from: 'fashion-vit', data: 'digits' }]))
})

test.each([['CSV', 'matrix.csv', /^method,trainable least/], ['LaTeX', 'matrix.tex', /\\textbf\{.*\$\\pm\$/s], ['PNG', 'matrix.png', /^.PNG/]])('is exported as %s', async (format, name, content) => {
  const file = join(bench.shots, name)
  await bench.app.evaluate(({ session }, path) => { session.defaultSession.once('will-download', (_, item) => item.setSavePath(path)) }, file)
  await page().getByRole('button', { name: 'Export table' }).click()
  await page().getByText(format, { exact: true }).click()
  await expect.poll(() => { try { return readFileSync(file, 'latin1') } catch { return '' } }).toMatch(content)
})

test('in the dark and in a small window', async () => {
  await goTo('Settings')
  await page().getByRole('radio', { name: 'Dark', exact: true }).click()
  await goTo('Matrix')
  await page().waitForTimeout(500)
  await shot('matrix-dark')
  await bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1024, 700))
  await page().waitForTimeout(700)
  await shot('matrix-small')
  expect(bench.problems).toEqual([])
})
