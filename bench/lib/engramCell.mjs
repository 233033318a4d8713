import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from '../../scripts/paths.mjs'
import { runEngram } from './engram.mjs'
import { TRAIN_IMAGES, VALIDATION_IMAGES, WARM_UP, backbones } from './grid.mjs'
import { recipeFor } from './recipe.mjs'

/** Measures one cell on Engram's side: a real run, from its events. Every cell has a workspace of its own, so nothing is cached before. */
export async function measureEngram(cell, mode, material) {
  const parent = join(cacheDir(), 'bench', 'runs')
  // Only what was killed leaves anything: one benchmark runs at a time.
  rmSync(parent, { recursive: true, force: true })
  mkdirSync(parent, { recursive: true })
  const workspace = mkdtempSync(join(parent, 'run-'))
  try {
    const recipe = recipeFor(cell, mode, material)
    return cell.method === 'inference' ? await evaluations(cell, recipe, workspace) : await steps(cell, recipe, workspace)
  } finally {
    rmSync(workspace, { recursive: true, force: true })
  }
}

async function steps(cell, recipe, workspace) {
  const probe = cell.method === 'linear-probe'
  const perEpoch = TRAIN_IMAGES / backbones[cell.row].batch
  // A linear probe is measured twice: its first epoch, and those that may use what the first has computed.
  const needed = (probe ? perEpoch : 0) + WARM_UP + cell.steps
  const ran = await runEngram(recipe, workspace, (events) => stepsOf(events).length >= needed)
  const done = stepsOf(ran.events)
  const took = intervals(done)
  const first = probe ? took.slice(0, perEpoch - 1) : took
  return {
    losses: done.map(({ loss }) => loss),
    steps: (probe ? took.slice(perEpoch) : took).slice(WARM_UP - 1),
    ...(probe ? { firstEpoch: first.slice(WARM_UP - 1) } : {}),
    trainable: ran.manifest.resolved.trainable,
    peakBytes: ran.peakBytes,
    compileSeconds: compileSeconds(ran.all, done[0]),
  }
}

/** Each evaluation right after a step: all validation images, forward. */
async function evaluations(cell, recipe, workspace) {
  const batches = VALIDATION_IMAGES / backbones[cell.row].batch
  const needed = WARM_UP + Math.ceil(cell.steps / batches)
  const ran = await runEngram(recipe, workspace, (events) => evaluatedOf(events).length >= needed)
  const took = ran.events.flatMap((event, i) => (event.event === 'evaluated' ? [(event.time - ran.events[i - 1].time) / batches] : []))
  return {
    losses: [evaluatedOf(ran.events)[0].metrics['validation/loss']],
    steps: took.slice(WARM_UP),
    peakBytes: ran.peakBytes,
    compileSeconds: null,
  }
}

const stepsOf = (events) => events.filter(({ event }) => event === 'step')
const evaluatedOf = (events) => events.filter(({ event }) => event === 'evaluated')

/** Milliseconds between one step's event and the next. */
const intervals = (events) => events.slice(1).map(({ time }, i) => time - events[i].time)

/** From the begin of tracing to the end of the first step; null where nothing is compiled. */
function compileSeconds(all, firstStep) {
  const began = all.find(({ event, message }) => event === 'phase' && /^Compiling/.test(message))
  return began ? (firstStep.time - began.time) / 1000 : null
}
