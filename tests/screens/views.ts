import { resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { ask } from '../e2e/window'
import { runNamed, runsOf } from './content'

/** A state of the window: how to reach it from any other, with Escape behind it. */
export interface View { name: string; reach(page: Page): Promise<unknown> }

export async function goTo(page: Page, address: string): Promise<void> {
  await page.evaluate(hash => { location.hash = hash }, address)
  await page.locator('.view h1').waitFor()
}

const at = (name: string, address: string, then: View['reach'] = async () => undefined): View => ({ name, reach: async page => { await goTo(page, address); await then(page) } })
const ofRun = (name: string, run: string, tab = '', then: View['reach'] = async () => undefined): View =>
  ({ name, reach: async page => { await leaveRun(page); await goTo(page, `/runs/${(await runNamed(page, run)).id}/${tab}`); await then(page) } })
/** The page of another run would keep what was opened on this one. */
async function leaveRun(page: Page): Promise<void> {
  await goTo(page, '/runs')
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor()
}
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click()
const best = 'digits san-ssf s0'
const chosen = ['digits san-ssf s0', 'digits san-ssf s1', 'digits ssf s0', 'digits lora-8']

export const emptyViews: View[] = ['runs', 'new', 'queue', 'checkpoints', 'compare', 'matrix'].map(name => at(`empty-${name}`, `/${name}`))

export const views: View[] = [
  at('runs', '/runs'),
  at('runs-none', '/runs', page => page.getByLabel('Search runs').fill('swin').then(() => page.waitForTimeout(300))),
  at('runs-filter', '/runs', async page => { await page.getByLabel('Search runs').fill(''); await button(page, 'Filter') }),
  at('runs-menu', '/runs', page => page.getByRole('row').filter({ hasText: best }).click({ button: 'right' })),
  at('runs-tray', '/runs', chooseRuns),
  { name: 'compare', reach: async page => goTo(page, `/compare?runs=${(await Promise.all(chosen.map(name => runNamed(page, name)))).map(({ id }) => id).join()}`) },
  ofRun('live', 'digits san-ssf, long'),
  ofRun('live-table', 'digits san-ssf, long', '', page => page.keyboard.press('t')),
  ofRun('live-panel', 'digits san-ssf, long', '', openPanel),
  ofRun('run', best),
  ofRun('run-failed', 'digits ssf, too fast'),
  ofRun('run-stopped', 'digits dora-8'),
  ofRun('run-overlay', 'digits ssf s1', '', page => overlay(page, 'digits lora-8')),
  ofRun('run-engram', best, 'engram'),
  ofRun('run-similarity', best, 'engram', page => page.getByRole('radio', { name: 'Similarity' }).click()),
  ofRun('run-engram-table', best, 'engram', page => page.getByRole('button', { name: 'As table' }).click()),
  ofRun('run-evaluation', best, 'evaluation'),
  ofRun('run-checkpoints', best, 'checkpoints'),
  ofRun('run-export', best, 'checkpoints', page => page.getByRole('button', { name: 'Export', exact: true }).first().click()),
  ofRun('run-restart', best, 'checkpoints', page => page.getByRole('button', { name: 'Restart from here' }).first().click()),
  ofRun('run-recipe', best, 'recipe'),
  ofRun('run-log', best, 'log'),
  ofRun('run-try', best, '', page => page.locator('[data-test=try]').click().then(() => page.locator('input[type=file]').setInputFiles(resolve('tests/main/data/fixtures/sharp.png'))).then(() => page.locator('[data-test=tried]').waitFor({ timeout: 60_000 }))),
  { name: 'new', reach: page => writeDraft(page) },
  at('new-classes', '/new', page => button(page, 'Class names')),
  at('new-method', '/new', page => button(page, /^About/)),
  { name: 'new-memory', reach: page => writeDraft(page, { batchSize: 512 }).then(() => openPanel(page)) },
  at('new-recipe', '/new', page => page.getByRole('radio', { name: 'Recipe', exact: true }).click()),
  at('new-sweep', '/new', page => page.getByRole('radio', { name: 'Form', exact: true }).click().then(() => page.getByRole('radio', { name: 'Sweep', exact: true }).click())),
  at('queue', '/queue'),
  at('checkpoints', '/checkpoints'),
  at('checkpoints-prune', '/checkpoints', page => page.locator('[data-test=open-prune]').click()),
  at('datasets', '/datasets'),
  at('datasets-faults', '/datasets', page => page.getByRole('navigation', { name: 'Datasets' }).getByText('pets').first().click()),
  at('backbones', '/backbones'),
  at('backbones-tensors', '/backbones', page => page.getByRole('radio', { name: 'Tensors' }).click().then(() => page.getByText('Deviation').first().waitFor())),
  at('backbones-catalogue', '/backbones', page => page.getByText('ViT-B/16, ImageNet-21k').click()),
  at('matrix', '/matrix'),
  at('settings', '/settings'),
  at('settings-end', '/settings', page => page.locator('.column > :last-child').scrollIntoViewIfNeeded()),
  at('palette', '/runs', page => page.keyboard.press('Control+k').then(() => page.keyboard.type('san'))),
  at('shortcuts', '/matrix', page => page.keyboard.press('?')),
]

/** Each is searched for: in a small window the tray leaves few rows, and what is scrolled away is not drawn. */
async function chooseRuns(page: Page): Promise<void> {
  const search = page.getByLabel('Search runs')
  for (const name of chosen) {
    await search.fill(name)
    const box = page.getByRole('row').filter({ hasText: name }).getByRole('checkbox')
    if (await box.getAttribute('aria-checked') !== 'true') await box.click()
  }
  await search.fill('')
  await search.blur()
  await page.waitForTimeout(300)
}

async function overlay(page: Page, name: string): Promise<void> {
  if (await page.locator('[data-test=overlaid]').count() > 0) return
  await page.locator('[data-test=overlay]').click()
  await page.getByLabel('Run to overlay: find by name').fill(name)
  await page.keyboard.press('Enter')
  await page.locator('[data-test=overlaid]').waitFor()
}

/** What is a drawer in a narrow window; elsewhere it stands there. */
async function openPanel(page: Page): Promise<void> {
  const opener = page.getByRole('button', { name: /^(Facts|Summary)/ })
  if (await opener.isVisible()) await opener.click()
}

async function writeDraft(page: Page, train: Record<string, number> = {}): Promise<void> {
  const [backbone, data] = await Promise.all([ask<{ id: string }[]>(page, 'models.list'), ask<{ id: string }[]>(page, 'datasets.list')])
  const draft = { backbone: { from: backbone[0]!.id }, data: { from: data.find(({ id }) => id === 'digits')!.id }, method: { type: 'ssf', san: {} }, train: { epochs: 12, learningRate: 0.01, ...train } }
  await page.evaluate(kept => { for (const [name, value] of Object.entries(kept)) localStorage.setItem(name, value) }, { 'engram.draft': JSON.stringify(draft), 'engram.sweep.on': 'false' })
  await goTo(page, '/new')
  await page.reload()
  await page.locator('[data-test=start]').getByText(/run/).first().waitFor()
}

export const isFilled = async (page: Page): Promise<boolean> => (await runsOf(page)).length > 0
