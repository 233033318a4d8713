// node bench/runs/live.mjs [PAIRS] [SECONDS]: what a window on a run's page costs the training, and whether it gets every event.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withScreen } from '../../scripts/virtualScreen.mjs'
import { busy, compareEvents, runIn, sayBusy, until, watch } from './watching.mjs'

const [pairs, seconds] = [Number(process.argv[2] ?? 4), Number(process.argv[3] ?? 15)]
const SETTLE_MS = 3000
/** About twenty steps a second on two cores; trains until it is stopped, and neither evaluates nor saves meanwhile. */
const recipe = {
  name: 'live', backbone: { from: 'fashion-vit' }, data: { from: 'digits' }, method: { type: 'ssf', san: {} },
  train: { epochs: 5000, batchSize: 32, learningRate: 0.001 }, evaluate: { every: 1_000_000 }, checkpoints: { everySteps: null },
}

const workspace = mkdtempSync(join(tmpdir(), 'engram-live-'))
const run = runIn(workspace)
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

function train() {
  const file = join(workspace, 'recipe.json')
  writeFileSync(file, JSON.stringify(recipe))
  const trainer = spawn(process.execPath, [resolve(import.meta.dirname, '../../bin/engram.mjs'), 'train', file, '--workspace', workspace], { stdio: 'ignore' })
  const ended = new Promise((done) => trainer.once('exit', done))
  return { stop: () => { trainer.kill('SIGINT'); return ended } }
}

/** Steps a second, by the trainer's own clock, while `seconds` go by. */
async function rate() {
  const from = Date.now()
  await sleep(seconds * 1000)
  const within = run.steps().filter(({ time }) => time >= from)
  return (within.length - 1) / (within.at(-1).time - within[0].time) * 1000
}

async function watchedRate() {
  const { app, close } = await watch(workspace, run.id())
  const { result, used } = await busy(app, rate)
  await close()
  return { watched: result, used }
}

async function aloneRate() {
  await sleep(SETTLE_MS)
  return rate()
}

async function measure() {
  const trainer = train()
  await until('the first steps', () => run.steps().length > 100)
  const [alone, watched, took] = [[], [], []]
  for (let pair = 0; pair < pairs; pair++) {
    // In turns, so that a machine that becomes slower or faster favours neither.
    if (pair % 2 === 0) alone.push(await aloneRate())
    const one = await watchedRate()
    watched.push(one.watched)
    took.push(one.used)
    if (pair % 2 === 1) alone.push(await aloneRate())
    console.log(`steps a second: ${alone.at(-1).toFixed(2)} alone, ${watched.at(-1).toFixed(2)} watched: ${((1 - watched.at(-1) / alone.at(-1)) * 100).toFixed(1)} % less`)
  }
  console.log(`medians: ${median(alone).toFixed(2)} alone, ${median(watched).toFixed(2)} watched; the window costs ${((1 - median(watched) / median(alone)) * 100).toFixed(1)} %`)
  sayBusy(new Map([...took[0].keys()].map((what) => [what, median(took.map((used) => used.get(what) ?? 0))])))
  const { page, close } = await watch(workspace, run.id())
  if (!await compareEvents(page, run, trainer.stop)) process.exitCode = 1
  await close()
}

try {
  await withScreen(measure)
} finally {
  rmSync(workspace, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}
