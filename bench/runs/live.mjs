// node bench/runs/live.mjs [PAIRS] [SECONDS]: what a window on a run's page costs the training, and whether it gets every event.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withScreen } from '../../scripts/virtualScreen.mjs'
import { openWindow, processes } from './electron.mjs'

const [pairs, seconds] = [Number(process.argv[2] ?? 4), Number(process.argv[3] ?? 15)]
const SETTLE_MS = 3000
const LONGEST_MS = 120_000
/** About twenty steps a second on two cores; trains until it is stopped, and neither evaluates nor saves meanwhile. */
const recipe = {
  name: 'live', backbone: { from: 'fashion-vit' }, data: { from: 'digits' }, method: { type: 'ssf', san: {} },
  train: { epochs: 5000, batchSize: 24, learningRate: 0.001 }, evaluate: { every: 1_000_000 }, checkpoints: { everySteps: null },
}

const workspace = mkdtempSync(join(tmpdir(), 'engram-live-'))
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const runFolder = () => join(workspace, 'runs', readdirSync(join(workspace, 'runs')).find((name) => name.startsWith('live-')))
const events = () => readFileSync(join(runFolder(), 'events.jsonl'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line))
const steps = () => events().filter(({ event }) => event === 'step')

function train() {
  const file = join(workspace, 'recipe.json')
  writeFileSync(file, JSON.stringify(recipe))
  const trainer = spawn(process.execPath, [resolve(import.meta.dirname, '../../bin/engram.mjs'), 'train', file, '--workspace', workspace], { stdio: 'ignore' })
  return { ended: new Promise((done) => trainer.once('exit', done)), stop: () => trainer.kill('SIGINT') }
}

async function until(what, condition) {
  for (const start = performance.now(); performance.now() - start < LONGEST_MS; await sleep(200)) {
    try {
      if (condition()) return
    } catch { /* not there yet */ }
  }
  throw new Error(`${what}: not within ${LONGEST_MS / 1000} s`)
}

/** Steps a second, by the trainer's own clock, while `seconds` go by. */
async function rate() {
  const from = Date.now()
  await sleep(seconds * 1000)
  const within = steps().filter(({ time }) => time >= from)
  return (within.length - 1) / (within.at(-1).time - within[0].time) * 1000
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

async function watch() {
  const { app, page, close } = await openWindow(workspace)
  await page.addInitScript(noteEvents)
  await page.reload()
  await page.waitForSelector('.view', { timeout: LONGEST_MS })
  await page.evaluate((run) => { location.hash = `#/runs/${run}` }, basename(runFolder()))
  await page.waitForSelector('.charts canvas', { timeout: LONGEST_MS })
  return { app, page, close }
}

async function watchedRate(busy) {
  const { app, close } = await watch()
  await sleep(SETTLE_MS)
  const before = await processes(app)
  const start = performance.now()
  const watched = await rate()
  const took = (performance.now() - start) / 1000
  for (const { what, seconds: used } of await processes(app)) {
    const earlier = before.find((one) => one.what === what)?.seconds ?? 0
    busy.set(what, [...busy.get(what) ?? [], (used - earlier) / took * 1000])
  }
  await close()
  return watched
}

async function aloneRate() {
  await sleep(SETTLE_MS)
  return rate()
}

/** Opens the window once more, stops the training, and compares what arrived with what was written. */
async function compareEvents({ stop, ended }) {
  const { page, close } = await watch()
  await sleep(SETTLE_MS)
  stop()
  await ended
  const written = events().map(({ seq }) => seq)
  const last = steps().at(-1).step.toLocaleString('en')
  await page.getByText(`Stopped at step ${last} of`).waitFor({ timeout: LONGEST_MS })
  const arrived = new Set(await page.evaluate(() => globalThis.arrived))
  const missing = written.filter((seq) => !arrived.has(seq))
  console.log(`${written.length} events written, ${arrived.size} arrived, ${missing.length} missing; the page ends at step ${last}`)
  await close()
  return missing.length === 0
}

async function measure() {
  const trainer = train()
  await until('the first steps', () => steps().length > 100)
  const [alone, watched, busy] = [[], [], new Map()]
  for (let pair = 0; pair < pairs; pair++) {
    // In turns, so that a machine that becomes slower or faster favours neither.
    if (pair % 2 === 0) alone.push(await aloneRate())
    watched.push(await watchedRate(busy))
    if (pair % 2 === 1) alone.push(await aloneRate())
    console.log(`steps a second: ${alone.at(-1).toFixed(2)} alone, ${watched.at(-1).toFixed(2)} watched: ${((1 - watched.at(-1) / alone.at(-1)) * 100).toFixed(1)} % less`)
  }
  console.log(`medians: ${median(alone).toFixed(2)} alone, ${median(watched).toFixed(2)} watched; the window costs ${((1 - median(watched) / median(alone)) * 100).toFixed(1)} %`)
  console.log(`processor a second: ${[...busy].map(([what, used]) => `${what} ${median(used).toFixed(0)} ms`).join(', ')}`)
  if (!await compareEvents(trainer)) process.exitCode = 1
}

try {
  await withScreen(measure)
} finally {
  rmSync(workspace, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}
