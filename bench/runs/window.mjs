// node bench/runs/window.mjs WORKSPACE [--rebuild]: how long the built window takes to show and to search the runs of a workspace, and its
// memory; with --rebuild its index is deleted first.
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { withScreen } from '../../scripts/virtualScreen.mjs'
import { openWindow, processes } from './electron.mjs'

const OPENINGS = 5
const LONGEST_MS = 10_000
const REBUILT_MS = 600_000
const searches = ['eurosat', 'eurosat san', 'pets lora 812', '']
const milliseconds = (values) => values.map((value) => value.toFixed(0)).join(', ')

/** From the start of the page to the frame after the first rows. */
const firstRows = (page) => page.evaluate((longest) => new Promise((done, fail) => {
  const look = () => {
    if (document.querySelector('[data-run]')) requestAnimationFrame(() => done(performance.now()))
    else if (performance.now() > longest) fail(new Error(`no rows after ${longest} ms`))
    else setTimeout(look, 4)
  }
  look()
}), LONGEST_MS)

/** Types words over those that stand there: milliseconds from the key to the frame with another number of rows. */
const search = (page, words) => page.evaluate(([text, longest]) => new Promise((done, fail) => {
  const field = document.querySelector('input[aria-label="Search runs"]')
  const rows = () => document.querySelector('[role=table]')?.getAttribute('aria-rowcount')
  const [start, before] = [performance.now(), rows()]
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, text)
  field.dispatchEvent(new Event('input', { bubbles: true }))
  const look = () => {
    if (rows() !== before) requestAnimationFrame(() => done(performance.now() - start))
    else if (performance.now() - start > longest) fail(new Error(`"${text}" changed nothing within ${longest} ms`))
    else setTimeout(look, 1)
  }
  look()
}), [words, LONGEST_MS])

const shown = (page) => page.evaluate(() => Number(document.querySelector('[role=table]')?.getAttribute('aria-rowcount') ?? 1) - 1)

async function measure(workspace, rebuild) {
  if (rebuild) for (const suffix of ['', '-wal', '-shm']) rmSync(join(workspace, `index.sqlite${suffix}`), { force: true })
  const launched = performance.now()
  const { app, page, close } = await openWindow(workspace)
  console.log(`from launch to a page: ${(performance.now() - launched).toFixed(0)} ms`)
  console.log(`from the page's start to its rows: ${milliseconds([await firstRows(page)])} ms, ${await shown(page)} of them`)
  if (rebuild) await rebuilt(page, launched)
  await page.evaluate(() => localStorage.removeItem('engram.runs.changed'))
  const openings = []
  for (let i = 0; i < OPENINGS; i++) {
    await page.reload()
    openings.push(await firstRows(page))
  }
  console.log(`from a reload to its rows: ${milliseconds(openings)} ms, ${await shown(page)} of them`)
  await page.waitForTimeout(3000)
  for (const words of searches) {
    console.log(`search "${words}", from the key to the rows: ${(await search(page, words)).toFixed(0)} ms, ${await shown(page)} runs`)
    await page.waitForTimeout(300)
  }
  console.log(`memory: ${(await processes(app)).map(({ what, megabytes }) => `${what} ${megabytes.toFixed(0)} MB`).join(', ')}`)
  await close()
}

/** While the folders are read: what the page says, and how fast it answers; then how long all took. */
async function rebuilt(page, launched) {
  const word = page.locator('[data-test=reading]')
  await word.waitFor({ timeout: LONGEST_MS })
  console.log(`the page says: ${await word.innerText()}`)
  for (const words of ['eurosat', 'pets', '']) console.log(`search "${words}" meanwhile: ${(await search(page, words)).toFixed(0)} ms, ${await shown(page)} runs`)
  await word.waitFor({ state: 'detached', timeout: REBUILT_MS })
  console.log(`all ${await shown(page)} runs read ${((performance.now() - launched) / 1000).toFixed(1)} s after the launch`)
}

await withScreen(() => measure(resolve(process.argv[2]), process.argv[3] === '--rebuild'))
