import { run, runAttached } from './command.mjs'
import { root } from './paths.mjs'

/** The npm that runs this script, else the one on the PATH. */
function npmCommand() {
  const npm = process.env.npm_execpath
  return npm?.endsWith('.js') ? { command: process.execPath, first: [npm] } : { command: 'npm', first: [] }
}

/** npm with its output on standard error; resolves to its exit code. */
export function npmAttached(...args) {
  const { command, first } = npmCommand()
  return runAttached(command, [...first, ...args], { ...options(), stdio: ['ignore', 2, 2] })
}

/** npm quietly; resolves to what it printed. */
export function npmQuiet(...args) {
  const { command, first } = npmCommand()
  return run(command, [...first, ...args], options())
}

const options = () => ({ cwd: root, shell: process.platform === 'win32' && !process.env.npm_execpath })
