import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunEvent } from '../../src/main/contract/run'
import { findCheckpoint, WEIGHTS } from '../../src/main/store/checkpoints'
import { startFile } from '../../src/main/store/runFolder'
import { type Bench, createBench, eventsOf } from './commandLine'

let bench: Bench
let run = ''
const short = { train: { epochs: 1, warmupEpochs: 0, batchSize: 16, learningRate: 0.02 } }
type Started = Extract<RunEvent, { event: 'started' }>
const begun = (events: RunEvent[]) => events[0] as Started
const firstLoss = (events: RunEvent[]) => events.flatMap(event => event.event === 'step' ? [event.loss] : [])[0]!

let first: RunEvent[]
beforeAll(async () => {
  bench = createBench()
  const { code, stdout, stderr } = await bench.run(['train', bench.recipe('first', short), '--json'])
  expect(code, stderr).toBe(0)
  first = eventsOf(stdout)
  run = begun(first).run
})
afterAll(() => bench.remove())

it('a new run begins with the weights of a checkpoint, by the same recipe or by another', async () => {
  const weights = (choice: 'last' | number) => readFileSync(join(findCheckpoint(begun(first).folder, choice).folder, WEIGHTS))
  const same = eventsOf((await bench.run(['train', '--from', run, '--checkpoint', 'last', '--json'])).stdout)
  expect(same.at(-1)).toMatchObject({ event: 'finished', step: begun(first).steps })
  expect(readFileSync(startFile(begun(same).folder)).equals(weights('last'))).toBe(true)
  // The first batch is the same: only the weights tell the losses apart.
  expect(Math.abs(firstLoss(same) - firstLoss(first))).toBeGreaterThan(0.01)
  const other = eventsOf((await bench.run(['train', bench.recipe('other', { ...short, seed: 3 }), '--from', run, '--checkpoint', '4', '--json'])).stdout)
  expect(readFileSync(startFile(begun(other).folder)).equals(weights(4))).toBe(true)
  const { stdout } = await bench.run(['runs', 'show', begun(other).run, '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ manifest: { recipe: { name: 'other', seed: 3 }, origin: { restartOf: run, restartStep: 4 } } })
})

it.each<[string, Record<string, unknown>, string[], RegExp]>([
  ['another method', { method: { type: 'lora', rank: 2 } }, [], /recipe: method: The weights of step \d+ of first-.* do not fit: they come from ssf, and \S+ is not among them\. Keep what they were trained with/],
  ['another backbone', { backbone: { from: resolve('tests/fixtures/reference/hf-vit/model') } }, [], /recipe: backbone\.from: The weights .* do not fit: the backbone is another\./],
  ['a checkpoint that is not there', {}, ['--checkpoint', '3'], /Run first-.* has no checkpoint at step 3; it has /],
])('%s is one sentence, and no run is made', async (name, change, more, words) => {
  const runs = () => readdirSync(join(bench.folder, 'workspace/runs'))
  const before = runs()
  const { code, stdout, stderr } = await bench.run(['train', bench.recipe(name.replaceAll(' ', '-'), { ...short, ...change }), '--from', run, ...more, '--json'])
  expect(stderr).toMatch(words)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect([code, stdout]).toEqual([2, ''])
  expect(runs()).toEqual(before)
})
