import { type FSWatcher, readdirSync, rmSync, watch } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/main/contract/run'
import { checkpointsFolder, listCheckpoints } from '../../src/main/store/checkpoints'
import { readEvents } from '../../src/main/store/eventLog'
import { liveRunLock } from '../../src/main/store/runFolder'
import { type Bench, createBench, type Running, until } from './commandLine'
import { expectClean, type Outcome, outcomeOf } from './outcome'

const VALIDATED_EVERY = 8

/** A state of a run as its folder shows it: `begins` once the newest event of this session passes; `saving` once a checkpoint is being written. */
interface State { name: string; begins?: (event: RunEvent) => boolean; saving?: boolean; stop?: boolean }
const phase = (wanted: string, words = '') => (event: RunEvent) => event.event === 'phase' && event.phase === wanted && event.message.startsWith(words)
/** In the order in which a run meets them: one run goes on from each to the next. */
const states: State[] = [
  { name: 'preparing its data', begins: phase('data') },
  { name: 'tracing its step', begins: phase('prepare', 'Compiling') },
  { name: 'training', begins: event => event.event === 'step' && event.step % VALIDATED_EVERY === 3 },
  { name: 'saving a checkpoint', saving: true },
  { name: 'validating', begins: event => event.event === 'step' && event.step % VALIDATED_EVERY === 0 },
  { name: 'stopping', stop: true, saving: true },
  { name: 'testing', begins: phase('test') },
]
type Victim = 'trainer' | 'program'

let bench: Bench
let whole: Outcome
const recipe = (name: string) => bench.recipe(name, { evaluate: { batchSize: 2 } })
const runsFolder = () => join(bench.folder, 'workspace/runs')
beforeAll(async () => {
  bench = createBench()
  await bench.run(['train', recipe('whole')])
  whole = outcomeOf(await folderOf('whole'))
})
afterAll(() => bench.remove())

async function folderOf(name: string): Promise<string> {
  const find = () => readdirSync(runsFolder()).find(run => run.startsWith(name))
  await until(() => find() !== undefined, 'the run has a folder')
  return join(runsFolder(), find()!)
}

/** Resolves at the very moment when the state begins. */
function beginning({ begins, saving, stop }: State, folder: string, program: Running): Promise<void> {
  const before = readEvents(folder).length
  let asked = !stop
  return new Promise(resolve => {
    const watchers: FSWatcher[] = []
    const done = () => {
      for (const watcher of watchers) watcher.close()
      resolve()
    }
    const look = () => {
      const fresh = readEvents(folder).slice(before)
      if (!asked && fresh.some(({ event }) => event === 'step')) asked = program.child.kill('SIGINT')
      const last = fresh.at(-1)
      if (last && begins?.(last)) done()
    }
    watchers.push(watch(folder, look), watch(checkpointsFolder(folder), (_, name) => { if (asked && saving && name?.startsWith('.tmp-')) done() }))
    void program.ended.then(done)
    look()
  })
}

async function killIn(state: State, victim: Victim, name: string, resume: string | null): Promise<string> {
  const program = bench.start(resume ? ['train', '--resume', resume] : ['train', recipe(name)])
  const folder = await folderOf(name)
  await beginning(state, folder, program)
  if (victim === 'trainer') process.kill(liveRunLock(folder)!.pid, 'SIGKILL')
  else program.child.kill('SIGKILL')
  await program.ended
  await until(() => liveRunLock(folder) === null, 'its trainer is gone')
  return folder
}

describe.each(['trainer', 'program'] as const)('a run whose %s is killed', victim => {
  const name = `${victim}-killed`
  let run: string | null = null
  let folder = ''

  it.each(states)('while $name tells the truth and can go on', async state => {
    if (run === null) rmSync(join(bench.folder, 'workspace/cache'), { recursive: true })
    folder = await killIn(state, victim, name, run)
    const card = await bench.card(folder.slice(runsFolder().length + 1))
    run = card.id
    // A stop that was asked for may have been done before its program was gone.
    expect(state.stop ? ['interrupted', 'stopped'] : ['interrupted']).toContain(card.status)
    expect(card.resumeStep).toBe(listCheckpoints(folder).at(-1)?.state.step ?? 0)
    expect(card.error?.code ?? 'trainer-died').toBe('trainer-died')
  })

  it('comes to the same end as one that was left alone', async () => {
    const resumed = await bench.run(['train', '--resume', run!])
    expect(resumed.code, resumed.stderr).toBe(0)
    expect((await bench.card(run!)).status).toBe('finished')
    expect(outcomeOf(folder)).toEqual(whole)
    expectClean(folder)
  })

  it('exports anew after a kill while exporting, and leaves nothing behind', async () => {
    const out = join(bench.folder, `${name}-out`)
    const args = ['export', '--run', run!, '--as', 'merged', '--out', join(out, 'merged')]
    const program = bench.start(args)
    await until(() => partsIn(out).length > 0, 'the export is being written')
    if (victim === 'trainer') process.kill(Number(/^\.tmp-(\d+)/.exec(partsIn(out)[0]!)![1]), 'SIGKILL')
    else program.child.kill('SIGKILL')
    expect((await program.ended).code).not.toBe(0)
    // A trainer whose program is gone leaves nothing, if it is not done already; one that is killed leaves what the next export takes away.
    if (victim === 'program') await until(() => partsIn(out).length === 0, 'its trainer is gone')
    if (readdirSync(out).includes('merged')) return expect(readdirSync(join(out, 'merged'))).toContain('verification.json')
    const again = await bench.run(args)
    expect(again.code, again.stderr).toBe(0)
    expect(readdirSync(out)).toEqual(['merged'])
  })
})

const partsIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter(name => name.startsWith('.tmp-'))
  } catch {
    return []
  }
}

it('a run that is stopped while its data is prepared is stopped, not failed', async () => {
  rmSync(join(bench.folder, 'workspace/cache'), { recursive: true })
  const program = bench.start(['train', recipe('early')])
  const folder = await folderOf('early')
  await beginning(states[0]!, folder, program)
  program.child.kill('SIGINT')
  expect((await program.ended).code).toBe(0)
  expect(await bench.card(folder.slice(runsFolder().length + 1))).toMatchObject({ status: 'stopped', resumeStep: 0, error: null })
})
