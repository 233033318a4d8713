import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openWindow, processes } from './electron.mjs'

const LONGEST_MS = 120_000
/** Past what opening takes, and most of what compiling for the first draws takes. */
const SETTLE_MS = 15_000

/** Waits for what throws or is false until it is there. */
export async function until(what, condition) {
  for (const start = performance.now(); performance.now() - start < LONGEST_MS; await sleep(200)) {
    try {
      if (condition()) return
    } catch { /* not there yet */ }
  }
  throw new Error(`${what}: not within ${LONGEST_MS / 1000} s`)
}

/** The one run of a workspace, as it lies on disk. */
export function runIn(workspace) {
  const id = () => readdirSync(join(workspace, 'runs')).find((name) => name.startsWith('live-'))
  const events = () => readFileSync(join(workspace, 'runs', id(), 'events.jsonl'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line))
  return { id, events, steps: () => events().filter(({ event }) => event === 'step') }
}

/** Runs in the page before its own code: notes the number of each event of a run that arrives. */
function noteEvents() {
  globalThis.arrived = []
  const { set, ...rest } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')
  Object.defineProperty(MessagePort.prototype, 'onmessage', { ...rest, set(listener) {
    set.call(this, (message) => {
      for (const { seq } of message.data.events ?? []) if (seq !== undefined) globalThis.arrived.push(seq)
      listener(message)
    })
  } })
}

/** The window on the page of a run, with its charts; past what opening it took. */
export async function watch(workspace, run) {
  const { app, page, close } = await openWindow(workspace)
  await page.addInitScript(noteEvents)
  await page.reload()
  await page.waitForSelector('.view', { timeout: LONGEST_MS })
  await page.evaluate((id) => { location.hash = `#/runs/${id}` }, run)
  await page.waitForSelector('.charts canvas', { timeout: LONGEST_MS })
  await sleep(SETTLE_MS)
  return { app, page, close }
}

/** What `task` gives, and the milliseconds of processor that each process of the window had in a second meanwhile. */
export async function busy(app, task) {
  const before = await processes(app)
  const start = performance.now()
  const result = await task()
  const took = (performance.now() - start) / 1000
  const used = (await processes(app)).map(({ what, seconds }) => [what, (seconds - (before.find((one) => one.what === what)?.seconds ?? 0)) / took * 1000])
  return { result, used: new Map(used) }
}

export function sayBusy(used) {
  const all = [...used.values()].reduce((sum, one) => sum + one, 0)
  console.log(`processor a second: ${all.toFixed(1)} ms: ${[...used].map(([what, one]) => `${what} ${one.toFixed(1)}`).join(', ')}`)
}

/** After `stop`: compares what arrived in a page with what was written, and says so; false where something is missing. */
export async function compareEvents(page, { events, steps }, stop) {
  await stop()
  const written = events().map(({ seq }) => seq)
  const last = steps().at(-1).step.toLocaleString('en')
  await page.getByText(`Stopped at step ${last} of`).waitFor({ timeout: LONGEST_MS })
  const arrived = new Set(await page.evaluate(() => globalThis.arrived))
  const missing = written.filter((seq) => !arrived.has(seq))
  console.log(`${written.length} events written, ${arrived.size} arrived, ${missing.length} missing; the page ends at step ${last}`)
  return missing.length === 0
}
