// The command line's entry: process matters only (signals, pipes, folders); everything else is in run.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServices, nodeFork } from '../services/index'
import { resourcesFolder, workspaceRoot } from '../store/paths'
import { runCommandLine } from './run'

const outMain = import.meta.dirname
/** Something of a library may hold the process open; the answer is out by then. */
const LINGER_MS = 1000
const ONE_PRESS_MS = 500

const { version } = JSON.parse(readFileSync(join(outMain, '../../package.json'), 'utf8')) as { version: string }
// `npm run engram` starts in the checkout, but paths are meant from where the person stands.
const { INIT_CWD: stands, npm_lifecycle_event: script } = process.env
if (script === 'engram' && stands) process.chdir(stands)

const stop = new AbortController()
let interruptedAt = 0
function interrupt(): void {
  // npm passes on the Ctrl-C that the terminal has sent to all: two at once are one.
  if (interruptedAt > 0 && Date.now() - interruptedAt > ONE_PRESS_MS) process.exit(130)
  if (interruptedAt > 0) return
  interruptedAt = Date.now()
  process.stderr.write('Stopping after this step and saving; once more ends at once.\n')
  stop.abort()
}
process.on('SIGINT', interrupt)
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
let unwritable = false
// A reader that has seen enough (head) closes the pipe: nothing is left to say.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && !unwritable) process.stderr.write(`engram: The output could not be written: ${error.message}.\n`)
    unwritable ||= error.code !== 'EPIPE'
    stop.abort()
  })
}

const code = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout, stderr: process.stderr, version, signal: stop.signal,
  open: workspace => createServices({ workspace: workspaceRoot(workspace), resources: resourcesFolder(outMain), version, fork: nodeFork(join(outMain, 'trainer.js')) }),
})
process.on('exit', () => { process.exitCode = unwritable ? 1 : code })
setTimeout(() => process.exit(), LINGER_MS).unref()
