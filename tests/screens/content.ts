import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { QueueState } from '../../src/main/contract/queue'
import type { RunCard } from '../../src/main/contract/run'
import { ask } from '../e2e/window'
import { png, put } from '../main/data/support/index'

type Change = Record<string, unknown>
const recipe = (name: string, method: Change, seed = 0, train: Change = {}) => ({
  name, seed, backbone: { from: 'fashion-vit' }, data: { from: 'digits', limit: 600, split: { validation: 120 } }, method,
  train: { epochs: 6, batchSize: 32, learningRate: 0.01, ...train }, checkpoints: { everySteps: 30 },
})
const san = { type: 'ssf', san: {} }
const done = [
  recipe('digits san-ssf s0', san), recipe('digits san-ssf s1', san, 1), recipe('digits ssf s0', { type: 'ssf' }), recipe('digits ssf s1', { type: 'ssf' }, 1),
  recipe('digits lora-8', { type: 'lora', rank: 8 }), recipe('digits linear probe', { type: 'linear-probe' }), recipe('digits ssf, too fast', { type: 'ssf' }, 0, { learningRate: 1e30 }),
]
const long = { epochs: 400 }
const waiting = [recipe('digits san-lora-8', { type: 'lora', rank: 8, san: {} }), recipe('digits bitfit', { type: 'bitfit' })]

/** What a person has after a first day: short real trainings, one that failed, one that was stopped, and a data set with faults. */
export async function fillWorkspace(page: Page): Promise<void> {
  const pets = await ask<{ id: string }>(page, 'datasets.add', { path: faultyData() })
  await ask(page, 'queue.add', { recipes: [...done, { ...recipe('pets linear probe', { type: 'linear-probe' }), data: { from: pets.id }, train: { epochs: 1, warmupEpochs: 0, batchSize: 4 } }] })
  const open = async () => (await runsOf(page)).filter(({ status }) => status === 'queued' || status === 'running').length
  await expect.poll(open, { timeout: 600_000, interval: 1000 }).toBe(0)
  const { run } = await ask<{ run: string }>(page, 'runs.start', recipe('digits dora-8', { type: 'dora', rank: 8 }, 0, long))
  await stepped(page, run, 20)
  await ask(page, 'runs.stop', { run })
  await expect.poll(async () => (await runNamed(page, 'digits dora-8')).status, { timeout: 60_000 }).toBe('stopped')
}

/** One that trains for as long as pictures are taken, and two behind it. */
export async function trainOn(page: Page): Promise<void> {
  for (const { id } of (await ask<QueueState>(page, 'queue.list')).lanes) await ask(page, 'queue.pause', { lane: id, paused: false })
  const { runs: [run] } = await ask<{ runs: string[] }>(page, 'queue.add', { recipes: [recipe('digits san-ssf, long', san, 2, long), ...waiting] })
  await stepped(page, run!, 60)
}

export async function trainNoMore(page: Page): Promise<void> {
  const { lanes } = await ask<QueueState>(page, 'queue.list')
  for (const { id, running, waiting: behind } of lanes) {
    await ask(page, 'queue.pause', { lane: id, paused: true })
    if (behind.length) await ask(page, 'queue.remove', { runs: behind })
    if (running) await ask(page, 'runs.stop', { run: running })
  }
}

export const runsOf = (page: Page): Promise<RunCard[]> => ask<RunCard[]>(page, 'runs.list')
export const runNamed = async (page: Page, name: string): Promise<RunCard> => (await runsOf(page)).filter(run => run.name === name).sort((a, b) => b.createdAt - a.createdAt)[0]!
const stepped = (page: Page, run: string, step: number) => expect.poll(async () => (await runsOf(page)).find(({ id }) => id === run)!.step, { timeout: 120_000, interval: 500 }).toBeGreaterThan(step)

function faultyData(): string {
  const pictures = ['cat', 'dog', 'horse'].flatMap((name, kind) => Array.from({ length: 6 - kind }, (_, i) => [`train/${name}/${i}.png`, png(kind * 10 + i, 64, 64)] as const))
  const whole = png(7, 64, 64)
  return put(join(mkdtempSync(join(tmpdir(), 'engram-screens-')), 'pets'), {
    ...Object.fromEntries(pictures), 'train/cat/cut.png': whole.subarray(0, whole.length / 2), 'train/dog/notes.png': 'not an image', 'test/cat/9.png': png(0, 64, 64), 'test/dog/8.png': png(99, 64, 64),
  })
}
