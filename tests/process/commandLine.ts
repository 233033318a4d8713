import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { RunCard, RunEvent } from '../../src/main/contract/run'

const CLI = resolve('out/main/cli.js')

/** A folder with a workspace and recipes, and the built command line on it. */
export interface Bench {
  folder: string
  start(args: readonly string[]): Running
  run(args: readonly string[]): Promise<Ended>
  recipe(name: string, change?: Record<string, unknown>): string
  card(run: string): Promise<RunCard>
  remove(): void
}
export interface Ended { code: number | null; signal: string | null; stdout: string; stderr: string }
export interface Running {
  child: ChildProcess
  ended: Promise<Ended>
  /** Resolves with the first event of `train --json` that passes. */
  event(passes: (event: RunEvent) => boolean): Promise<RunEvent>
}

/** Small enough to train in seconds; dropout, drop path and crops make every random state matter to a resume. */
const tiny = {
  backbone: { from: resolve('tests/fixtures/reference/timm-vit-cls/model') }, data: { from: 'digits', limit: 160 },
  method: { type: 'ssf', san: {} },
  train: { epochs: 5, batchSize: 16, dropPath: 0.1, dropout: 0.1, augment: 'crop+flip' }, checkpoints: { everySteps: 4 },
}

export function createBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'engram-process-'))
  const start = (args: readonly string[]) => launch([...args, '--workspace', join(folder, 'workspace')], folder)
  const run = (args: readonly string[]) => start(args).ended
  return {
    folder, start, run,
    recipe(name, change = {}) {
      const path = join(folder, `${name}.json`)
      writeFileSync(path, JSON.stringify({ name, ...tiny, ...change }))
      return path
    },
    async card(id) {
      const { stdout } = await run(['runs', 'show', id, '--json'])
      return (JSON.parse(stdout) as { card: RunCard }).card
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function launch(args: readonly string[], cwd: string): Running {
  const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const events: RunEvent[] = []
  const waiting: { passes: (event: RunEvent) => boolean; resolve: (event: RunEvent) => void }[] = []
  let stdout = ''
  let stderr = ''
  let rest = ''
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk })
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
    if (!args.includes('train') || !args.includes('--json')) return
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = JSON.parse(line) as RunEvent
      events.push(event)
      for (const one of waiting.filter(({ passes }) => passes(event))) one.resolve(event)
    }
  })
  const ended = new Promise<Ended>(resolve => child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })))
  const event = (passes: (event: RunEvent) => boolean) => {
    const past = events.find(passes)
    if (past) return Promise.resolve(past)
    const future = new Promise<RunEvent>(resolve => waiting.push({ passes, resolve }))
    const over = ended.then(result => { throw new Error(`the training ended (${result.code}) without that event\n${result.stderr}`) })
    return Promise.race([future, over])
  }
  return { child, ended, event }
}

export const eventsOf = (stdout: string): RunEvent[] => stdout.trim().split('\n').filter(line => line !== '').map(line => JSON.parse(line) as RunEvent)

/** Waits until `holds`, checking often. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, limitMs = 60_000): Promise<void> {
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`waited in vain until ${what}`)
}
