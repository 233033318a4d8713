import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const shot = (name: string) => page().screenshot({ path: join(bench.shots, `${name}.png`) })
const hint = () => page().getByRole('note', { name: 'Hint' })
const seen = async () => (await ask<{ hintsSeen: number }>(page(), 'settings.get')).hintsSeen

/** How far the hint stands below what it speaks of. */
async function below(anchor: string): Promise<number> {
  const [card, control] = await Promise.all([hint().boundingBox(), page().locator(anchor).boundingBox()])
  expect(await hint().evaluate(element => element.scrollHeight - element.clientHeight), 'all of the hint is seen').toBe(0)
  return card!.y - (control!.y + control!.height)
}

beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

test('three hints stand at their controls while the quickstart runs, and do not come again', async () => {
  await hint().getByText('Start here').waitFor()
  const [card, row] = await Promise.all([hint().boundingBox(), page().locator('[data-hint=quickstart]').boundingBox()])
  expect(card!.y).toBeCloseTo(row!.y, 0)
  expect(card!.x).toBeGreaterThan(row!.x + row!.width)
  await shot('hint-1')
  await page().getByRole('button', { name: 'Run quickstart' }).click()
  await page().waitForURL(/#\/runs\/.+/)
  await hint().getByText('Epochs over steps').waitFor()
  await page().locator('[data-hint=progress]').waitFor()
  expect(await below('[data-hint=progress]')).toBeCloseTo(10, 0)
  await shot('hint-2')
  await hint().getByRole('button', { name: 'Next hint' }).click()
  await hint().getByText('Engram shows').waitFor()
  expect(await below('[data-value=engram]')).toBeCloseTo(10, 0)
  await shot('hint-3')
  await hint().getByRole('button', { name: 'Done' }).click()
  await hint().waitFor({ state: 'detached' })
  await expect.poll(seen).toBe(3)
  await page().getByRole('tab', { name: 'Engram' }).click()
  await page().locator('[data-test=gain-map]').waitFor({ timeout: 180_000 })
  await page().getByRole('tab', { name: 'Overview' }).click()
  await expect.poll(() => page().locator('section[aria-label="Progress"]').innerText(), { timeout: 120_000 }).toMatch(/step [1-9]/)
  await shot('tour')
  await page().reload()
  await page().locator('[data-hint=progress]').waitFor()
  expect(await hint().count()).toBe(0)
})

test('Esc ends them', async () => {
  await ask(page(), 'settings.set', { hintsSeen: 1 })
  await page().reload()
  await hint().waitFor()
  await page().keyboard.press('Escape')
  await hint().waitFor({ state: 'detached' })
  await expect.poll(seen).toBe(3)
  expect(bench.problems).toEqual([])
})
