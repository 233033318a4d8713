import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../../scripts/paths.mjs'
import { leadGroup } from './groups.mjs'

/** The recipe has something that this Engram does not know (yet). */
export class Refused extends Error {}

const WRONG_INPUT = 2

/**
 * Trains a recipe with the command line, as a user does, until `enough(events)` holds; then the processes are killed, for
 * the checkpoint that a stop would write is none of the benchmark's business. Resolves to the events and the trainer's
 * highest resident memory up to there.
 */
export function runEngram(recipe, workspace, enough) {
  mkdirSync(workspace, { recursive: true })
  const file = join(workspace, 'recipe.json')
  writeFileSync(file, JSON.stringify(recipe))
  const args = [join(root, 'out/main/cli.js'), 'train', file, '--json', '--workspace', workspace]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = leadGroup(child)
  const events = []
  let words = ''
  child.stderr.on('data', (chunk) => (words += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => reject(endedEarly(code, words, events)))
    let done = false
    createInterface({ input: child.stdout }).on('line', (line) => {
      // What was on its way when the processes were killed, perhaps half a line.
      if (done) return
      events.push(JSON.parse(line))
      done = enough(events)
      if (!done) return
      const [{ pid, folder }] = events
      const read = (name) => readFileSync(join(folder, name), 'utf8')
      const peakBytes = peakOf(pid)
      kill()
      resolve({ events, all: wholeLines(read('events.jsonl')), manifest: JSON.parse(read('run.json')), peakBytes })
    })
  })
}

const wholeLines = (text) => text.slice(0, text.lastIndexOf('\n')).split('\n').map((line) => JSON.parse(line))

function endedEarly(code, words, events) {
  const said = words.trim().replace(/^engram: /, '')
  if (code === WRONG_INPUT) return new Refused(said.split('\n')[0])
  const failed = events.find(({ event }) => event === 'failed')?.error.message
  return new Error(failed ?? said.split('\n').slice(-3).join(' ') ?? `it ended with code ${code}`)
}

/** The highest resident memory of a running process. */
function peakOf(pid) {
  const kilobytes = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmHWM:\s+(\d+) kB$/m)
  return Number(kilobytes[1]) * 1024
}
