import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { writeRuns } from '../../bench/runs/synthetic'
import type { RunEvent } from '../../src/main/contract/run'
import { createServices, nodeFork } from '../../src/main/services/index'
import { readEvents } from '../../src/main/store/eventLog'
import { openWorkspace } from '../../src/main/store/paths'
import { bundle } from './bundle'
import { temporaryFolder } from './fixtures'

const MODEL = resolve('tests/fixtures/reference/timm-vit-cls/model')
const STEP_MICROSECONDS = 50_000
let trainer: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => { trainer = await bundle('tests/main/fakeTrainer.ts') })
afterAll(() => trainer.remove())

it('a run of 20 steps a second is told whole to three watchers, among many runs, for less than 2 % of its time', async () => {
  const folder = temporaryFolder()
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, 'data/train', name), { recursive: true })
    for (const image of [1, 2, 3]) writeFileSync(join(folder, 'data/train', name, `${image}.png`), '')
  }
  writeRuns(openWorkspace(join(folder, 'workspace')), 300, 20)
  const services = createServices({ workspace: join(folder, 'workspace'), resources: join(folder, 'resources'), version: '1', fork: nodeFork(trainer.path) })
  onTestFinished(() => services.close())
  const seen: RunEvent[][] = [[], [], []]
  const steps: number[] = []
  onTestFinished(services.runs.changes(undefined, changes => { for (const one of changes) if (one.change === 'card' && one.card.name === 'paced') steps.push(one.card.step) }))
  const { run } = await services.runs.start({ name: 'paced', backbone: { from: MODEL }, data: { from: join(folder, 'data') }, method: { type: 'ssf' } })
  for (const events of seen) onTestFinished(services.runs.watch({ run, after: -1 }, some => events.push(...some)))
  await expect.poll(() => seen.every(events => events.at(-1)?.event === 'finished'), { timeout: 30_000 }).toBe(true)
  const written = readEvents(services.runs.show({ run }).card.folder)
  expect(written.map(({ seq }) => seq)).toEqual(written.map((_, i) => i))
  for (const events of seen) expect(events).toEqual(written)
  const last = written.at(-1)
  const told = written.filter(({ event }) => event === 'step').length
  const share = last?.event === 'finished' ? last.metrics['telling']! / (told * STEP_MICROSECONDS) : Infinity
  console.log(`telling ${told} steps at 20 a second took ${(share * 100).toFixed(2)} % of the trainer's time; the table saw ${steps.length} states of the run`)
  expect(told).toBe(40)
  expect(share).toBeLessThan(0.02)
  await expect.poll(() => steps.at(-1), { timeout: 10_000 }).toBe(40)
})
