import { readdirSync, statSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CheckpointCard } from '../../src/main/contract/checkpoint'
import { checkpointsFolder, pinCheckpoint, saveCheckpoint } from '../../src/main/store/checkpoints'
import { openEventLog } from '../../src/main/store/eventLog'
import { openWorkspace } from '../../src/main/store/paths'
import { openRunStore } from '../../src/main/store/runStore'
import { draftOf, ending, started, stepAt } from '../main/fixtures'
import { type Bench, createBench, type Running } from './commandLine'

const STEPS = [10, 20, 30, 40, 50, 60, 70, 80]
const STAY = [20, 50, 80]
/** Besides its tensors, so many that deleting one checkpoint takes long enough to be killed in the midst. */
const FILES = 2000

let bench: Bench
let run = ''
let folder = ''
beforeAll(() => {
  bench = createBench()
  const store = openRunStore(openWorkspace(join(bench.folder, 'workspace')))
  ;({ folder, manifest: { id: run } } = store.create(draftOf()))
  const log = openEventLog(folder)
  for (const event of [started(), stepAt(80), ending('finished', 80)]) log.append(event)
  log.close()
  for (const step of STEPS) {
    const saved = saveCheckpoint(folder, { step, epoch: 1, files: { 'a.safetensors': [new Uint8Array(1000)], 'b.safetensors': [new Uint8Array(1000)] }, metrics: {}, best: step === 20 })
    for (let i = 0; i < FILES; i++) writeFileSync(join(saved.folder, `more-${i}`), '')
  }
  pinCheckpoint(folder, 50, true)
  store.close()
})
afterAll(() => bench.remove())

const names = () => readdirSync(checkpointsFolder(folder)).sort()
const leftovers = () => names().filter(name => name.startsWith('.tmp-'))
const listed = async () => JSON.parse((await bench.run(['checkpoints', 'list', run, '--json'])).stdout) as CheckpointCard[]
const prune = (...more: string[]) => ['checkpoints', 'prune', run, ...more]

/** Kills it as soon as it takes the next checkpoint away. */
function killAtNext(program: Running): Promise<unknown> {
  const known = leftovers()
  const watcher = watch(checkpointsFolder(folder), (_, name) => { if (name?.startsWith('.tmp-') && !known.includes(name)) program.child.kill('SIGKILL') })
  return program.ended.finally(() => watcher.close())
}

it('pruning that is killed while it deletes leaves whole checkpoints alone to be listed', async () => {
  let halved = 0, before = STEPS.length
  for (let kill = 0; kill < 3; kill++) {
    await killAtNext(bench.start(prune('--delete')))
    halved += leftovers().filter(name => readdirSync(join(checkpointsFolder(folder), name)).length > 0).length
    const cards = await listed()
    expect(cards.length).toBeLessThan(before)
    before = cards.length
    expect(cards.map(({ step }) => step)).toEqual(expect.arrayContaining(STAY))
    expect(cards.map(({ path }) => path)).toEqual(names().filter(name => name.startsWith('step-')).map(name => join(checkpointsFolder(folder), name)))
    for (const { path } of cards) {
      expect(readdirSync(path)).toHaveLength(FILES + 3)
      expect(['a.safetensors', 'b.safetensors'].map(name => statSync(join(path, name)).size)).toEqual([1000, 1000])
    }
    expect(cards.filter(({ best }) => best).concat(cards.filter(({ pinned }) => pinned), cards.filter(({ last }) => last)).map(({ step }) => step)).toEqual(STAY)
  }
  expect(await bench.card(run)).toMatchObject({ status: 'finished', step: 80 })
  // The test means something only where a kill did hit a deletion under way.
  expect(halved).toBeGreaterThan(0)
})

it('the next look at what would go clears what was left, and pruning comes to its end', async () => {
  await bench.run(prune())
  expect(leftovers()).toEqual([])
  const { code, stderr } = await bench.run(prune('--delete'))
  expect(code, stderr).toBe(0)
  expect(names()).toEqual(STAY.map(step => `step-0000${step}`))
})
