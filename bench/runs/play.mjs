// node bench/runs/play.mjs [STEPS_A_SECOND] [SECONDS]: what a window on the page of a run takes of the processor, and whether it gets every
// event. The run is played, not trained, so that this says the same on a machine that is busy.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withScreen } from '../../scripts/virtualScreen.mjs'
import { busy, compareEvents, runIn, sayBusy, until, watch } from './watching.mjs'

const [rate, seconds] = [Number(process.argv[2] ?? 20), Number(process.argv[3] ?? 20)]
const workspace = mkdtempSync(join(tmpdir(), 'engram-play-'))
const run = runIn(workspace)

function play() {
  const at = (name) => join(import.meta.dirname, name)
  const player = spawn(process.execPath, [at('bundle.mjs'), at('play.ts'), workspace, rate], { stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = new Promise((done) => player.once('exit', done))
  return { stop: () => { player.stdin.end(); return ended } }
}

async function measure() {
  const player = play()
  await until('the first steps', () => run.steps().length > 100)
  const { app, page, close } = await watch(workspace, run.id())
  const { used } = await busy(app, () => sleep(seconds * 1000))
  sayBusy(used)
  if (!await compareEvents(page, run, player.stop)) process.exitCode = 1
  await close()
}

try {
  await withScreen(measure)
} finally {
  rmSync(workspace, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}
