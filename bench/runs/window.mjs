// node bench/runs/window.mjs WORKSPACE: how long the built window takes to show and to search the runs of a workspace, and its memory.
import { resolve } from 'node:path'
import { _electron } from 'playwright-core'
import { electronFlags, electronPath } from '../../scripts/electronPath.mjs'

const workspace = resolve(process.argv[2])
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'ELECTRON_RUN_AS_NODE'))
const launched = performance.now()
const app = await _electron.launch({ executablePath: electronPath(), args: [...electronFlags(), resolve(import.meta.dirname, '../..'), '--workspace', workspace], env })
const page = await app.firstWindow()
const since = (start) => `${(performance.now() - start).toFixed(0)} ms`
const rows = (least) => page.waitForFunction((n) => Number(document.querySelector('[role=table]')?.getAttribute('aria-rowcount')) >= n && document.querySelector('[data-run]') !== null, least, { polling: 20, timeout: 120_000 })

await rows(2)
console.log(`from launch to the first rows: ${since(launched)}`)
await page.evaluate(() => localStorage.removeItem('engram.runs.changed'))
await page.reload()
const shown = await page.evaluate(() => new Promise((done) => {
  const look = () => document.querySelector('[data-run]') ? requestAnimationFrame(() => done(performance.now())) : setTimeout(look, 5)
  look()
}))
console.log(`from a reload's start to the rows: ${shown.toFixed(0)} ms`)
for (const words of ['eurosat', 'eurosat san', 'pets lora 812']) {
  const took = await page.evaluate((text) => new Promise((done) => {
    const field = document.querySelector('input[aria-label="Search runs"]')
    const table = document.querySelector('[role=table]')
    const start = performance.now()
    const before = table.getAttribute('aria-rowcount')
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, text)
    field.dispatchEvent(new Event('input', { bubbles: true }))
    const look = () => table.getAttribute('aria-rowcount') !== before ? done(performance.now() - start) : setTimeout(look, 1)
    look()
  }), words)
  console.log(`search "${words}", typed to drawn: ${took.toFixed(0)} ms`)
  await page.waitForTimeout(300)
}
const memory = await app.evaluate(({ app: electron }) => electron.getAppMetrics().map(({ type, memory: { workingSetSize } }) => `${type} ${(workingSetSize / 1000).toFixed(0)} MB`))
console.log(`memory: ${memory.join(', ')}`)
await app.evaluate(({ app: electron }) => electron.exit(0)).catch(() => undefined)
