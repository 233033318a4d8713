// `npm start`: opens the workbench; in a terminal without a screen it trains the quickstart recipe instead.

import { join } from 'node:path'
import { runAttached } from './command.mjs'
import { electronFlags } from './electronPath.mjs'
import { ensureBuild, ensureDependencies, ensureElectron, ensureRuntime } from './ensure.mjs'
import { runMain, say } from './log.mjs'
import { root } from './paths.mjs'

const passedOn = process.argv.slice(2)

await runMain(async () => {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  await ensureDependencies()
  await ensureRuntime()
  process.exitCode = hasScreen() ? await openWindow() : await trainInTerminal()
})

function hasScreen() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

async function openWindow() {
  const electron = await ensureElectron()
  await ensureBuild()
  // Set where Electron is to behave as plain Node (some editors' terminals leave it behind): there would be no window.
  delete process.env.ELECTRON_RUN_AS_NODE
  say('opening the workbench')
  return runAttached(electron, [...electronFlags(), root, ...passedOn])
}

async function trainInTerminal() {
  say('no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set): training the quickstart recipe in the terminal')
  say('every command of the terminal: npm run --silent engram -- --help')
  return runAttached(process.execPath, [join(root, 'bin/engram.mjs'), 'train', 'quickstart', ...passedOn])
}
