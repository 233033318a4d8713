import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, openWorkbench, type Workbench } from '../e2e/window'
import { fillWorkspace, trainNoMore, trainOn } from './content'
import { emptyViews, goTo, isFilled, type View, views } from './views'

// `npm test -- screens` takes pictures of every view, for people to look at. ENGRAM_SCREENS names views, sizes or themes
// (runs,dark-1440); with ENGRAM_WORKSPACE the workspace that an earlier turn filled is used again.
const sizes = [[1024, 700], [1440, 900], [2560, 1440]] as const
const settle = 700
const wanted = (process.env['ENGRAM_SCREENS'] ?? '').split(',').filter(Boolean)
const isWanted = (view: string, look: string) => {
  const [looks, names] = [wanted.filter(word => /\d|^(dark|light)$/.test(word)), wanted.filter(word => !/\d|^(dark|light)$/.test(word))]
  return (names.length === 0 || names.includes(view)) && (looks.length === 0 || looks.some(word => look.includes(word)))
}

let bench: Workbench
const page = (): Page => bench.page
beforeAll(async () => { bench = await openWorkbench(process.env['ENGRAM_WORKSPACE']) }, 90_000)
afterAll(async () => { await bench.close() })

async function takeAll(list: readonly View[]): Promise<string[]> {
  const missed: string[] = []
  for (const theme of ['light', 'dark'] as const) for (const [width, height] of sizes) {
    const look = `${theme}-${width}`
    const due = list.filter(({ name }) => isWanted(name, look))
    if (due.length === 0) continue
    await bench.app.evaluate(({ BrowserWindow }, [w, h]) => BrowserWindow.getAllWindows()[0]!.setContentSize(w, h), [width, height] as const)
    await ask(page(), 'settings.set', { theme, hintsSeen: 3 })
    await page().reload()
    for (const view of due) missed.push(...await take(view, look))
  }
  return missed
}

/** Chromium lets the pointer of the display come back after a reload; two moves leave what it then points at. */
async function pointAway(): Promise<void> {
  await page().mouse.move(300, 21)
  await page().mouse.move(300, 20)
}

/** A view that cannot be reached is told at the end; the others are still worth looking at. */
async function take(view: View, look: string): Promise<string[]> {
  try {
    await page().keyboard.press('Escape')
    await view.reach(page())
    await pointAway()
    await page().waitForTimeout(settle)
    await page().screenshot({ path: join(bench.shots, `${view.name}-${look}.png`) })
    await page().keyboard.press('Escape')
    return []
  } catch (error) {
    return [`${view.name} ${look}: ${String(error).split('\n')[0]}`]
  }
}

test('every view, in both themes and three sizes', { timeout: 1_800_000 }, async () => {
  await page().locator('.view h1').waitFor()
  const missed: string[] = []
  if (!await isFilled(page())) {
    missed.push(...await takeAll(emptyViews))
    await fillWorkspace(page())
  }
  await trainOn(page())
  await goTo(page(), '/runs')
  missed.push(...await takeAll(views))
  await trainNoMore(page())
  expect(missed).toEqual([])
  expect(bench.problems).toEqual([])
})
