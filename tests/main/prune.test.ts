import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CheckpointCard, PruneRule } from '../../src/main/contract/checkpoint'
import { createCheckpoints } from '../../src/main/services/checkpoints'
import type { Deps } from '../../src/main/services/deps'
import { planPrune, type PrunedRun } from '../../src/main/services/prunePlan'
import { checkpointFolder, checkpointSteps, pruneCheckpoints, saveCheckpoint } from '../../src/main/store/checkpoints'
import { openEventLog } from '../../src/main/store/eventLog'
import { changeLabels, readLabels } from '../../src/main/store/labels'
import { lockRun } from '../../src/main/store/runFolder'
import { openRunStore } from '../../src/main/store/runStore'
import { draftOf, ending, stepAt, started, temporaryWorkspace } from './fixtures'

const card = (run: string, step: number, marks: Partial<CheckpointCard> = {}): CheckpointCard =>
  ({ run, step, epoch: 1, path: `/${run}/${step}`, sizeBytes: 100, savedAt: step, best: false, last: false, pinned: false, metrics: {}, ...marks })
const runA = [card('run-a', 100), card('run-a', 200, { best: true }), card('run-a', 300, { pinned: true }), card('run-a', 400), card('run-a', 500, { last: true })]
const runs = (busy: boolean, finished: boolean) => new Map<string, PrunedRun>([['run-a', { busy, finished }]])
const steps = (rule: object, cards = runA, facts = runs(false, true)) => planPrune(cards, facts, PruneRule.parse(rule)).going.map(({ step }) => step)

describe('a rule for checkpoints', () => {
  it('lets go all but best, last and pinned', () => {
    expect(steps({})).toEqual([100, 400])
    expect(planPrune(runA, runs(false, true), PruneRule.parse({}))).toMatchObject({ goingBytes: 200, kept: 3, keptBytes: 300, busy: [] })
  })

  it('lets the last go only of finished runs, and nothing of one that is being trained', () => {
    expect(steps({ last: false })).toEqual([100, 400, 500])
    expect(steps({ last: false }, runA, runs(false, false))).toEqual([100, 400])
    expect(planPrune(runA, runs(true, false), PruneRule.parse({ last: false, budgetBytes: 0 }))).toMatchObject({ going: [], kept: 5, busy: ['run-a'] })
    expect(steps({ last: false }, runA, new Map())).toEqual([])
  })

  it('spares one in each so many steps, and the same ones the next time', () => {
    const many = Array.from({ length: 10 }, (_, i) => card('run-a', 47 * (i + 1)))
    const first = planPrune(many, runs(false, true), PruneRule.parse({ everySteps: 100 }))
    expect(first.going.map(({ step }) => step)).toEqual([94, 188, 282, 376, 470])
    const left = many.filter(one => !first.going.includes(one))
    expect(steps({ everySteps: 100 }, left)).toEqual([])
  })

  it('stops at the budget, the oldest first, over all runs', () => {
    const other = [card('run-b', 150), card('run-b', 900, { best: true, last: true })]
    const both = new Map([...runs(false, true), ['run-b', { busy: false, finished: true }]])
    expect(steps({ budgetBytes: 550 }, [...runA, ...other], both)).toEqual([100, 150])
    expect(steps({ budgetBytes: 700 }, [...runA, ...other], both)).toEqual([])
    expect(planPrune([...runA, ...other], both, PruneRule.parse({ budgetBytes: 0 }))).toMatchObject({ keptBytes: 400 })
  })
})

function bench() {
  const workspace = temporaryWorkspace()
  const store = openRunStore(workspace)
  const train = (end: 'finished' | 'stopped' | null, saved = [100, 200, 300]) => {
    const { folder, manifest } = store.create(draftOf())
    const log = openEventLog(folder)
    for (const event of [started(), stepAt(300), ...(end ? [ending(end, 300)] : [])]) log.append(event)
    log.close()
    for (const step of saved) saveCheckpoint(folder, { step, epoch: 1, files: { 'w.bin': [new Uint8Array(step)] }, metrics: {}, best: step === 100 })
    return { run: manifest.id, folder }
  }
  return { train, checkpoints: createCheckpoints({ store } as unknown as Deps) }
}

describe('pruning', () => {
  it('deletes what was agreed to and still may go, and nothing else', async () => {
    const { train, checkpoints } = bench()
    const [done, going, working] = [train('finished'), train('stopped'), train(null)]
    const lock = lockRun(working.folder, working.run)
    const rule = PruneRule.parse({ last: false })
    const plan = await checkpoints.preview(rule)
    expect(plan.going.map(({ run, step }) => [run, step])).toEqual(expect.arrayContaining([[done.run, 200], [done.run, 300], [going.run, 200]]))
    expect(plan).toMatchObject({ goingBytes: 700, busy: [working.run] })
    checkpoints.pin({ run: done.run, step: 200, pinned: true })
    const report = await checkpoints.prune({ rule, going: [...plan.going, { run: working.run, step: 200 }] })
    expect(report).toMatchObject({ goingBytes: 500, kept: 7, going: expect.any(Array) })
    expect([done, going, working].map(({ folder }) => checkpointSteps(folder))).toEqual([[100, 200], [100, 300], [100, 200, 300]])
    expect((await checkpoints.all()).filter(({ pinned }) => pinned)).toMatchObject([{ run: done.run, step: 200 }])
    lock.release()
  })

  it('of some runs touches no other, and refuses one that is not there', async () => {
    const { train, checkpoints } = bench()
    const [one, other] = [train('finished'), train('finished')]
    const rule = PruneRule.parse({ runs: [one.run] })
    const { going } = await checkpoints.preview(rule)
    await checkpoints.prune({ rule, going })
    expect([one, other].map(({ folder }) => checkpointSteps(folder))).toEqual([[100, 300], [100, 200, 300]])
    await expect(checkpoints.preview(PruneRule.parse({ runs: ['no-such-run'] }))).rejects.toThrow(/no run/)
  })

  it('clears what a removal left that was killed on its way', () => {
    const { train, checkpoints } = bench()
    const { run, folder } = train('finished')
    const left = join(folder, 'checkpoints', '.tmp-999999999-ab-step-000050')
    mkdirSync(left)
    checkpoints.remove({ run, step: 200 })
    expect(existsSync(left)).toBe(false)
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-000100', 'step-000300'])
  })
})

describe('pins', () => {
  it('hold against the trainer\'s own pruning, and go with their checkpoint', () => {
    const { train, checkpoints } = bench()
    const { run, folder } = train('stopped', [100, 200, 300, 400, 500, 600])
    checkpoints.pin({ run, step: 200, pinned: true })
    changeLabels(folder, { note: 'kept', addTags: [], removeTags: [] })
    expect(readLabels(folder)).toMatchObject({ pins: { 200: true }, note: 'kept' })
    expect(pruneCheckpoints(folder, 1)).toEqual([300, 400])
    checkpoints.remove({ run, step: 200 })
    expect(readLabels(folder).pins).toEqual({})
    expect(() => checkpoints.pin({ run, step: 250, pinned: true })).toThrow(/no checkpoint at step 250/)
  })

  it('are there from the start for one that a person asked for, until it is let go', () => {
    const { train, checkpoints } = bench()
    const { run, folder } = train('stopped', [100, 200, 500])
    saveCheckpoint(folder, { step: 300, epoch: 1, files: {}, metrics: {}, best: false, asked: true })
    expect(pruneCheckpoints(folder, 1)).toEqual([])
    expect(JSON.parse(readFileSync(join(checkpointFolder(folder, 300), 'state.json'), 'utf8'))).toMatchObject({ asked: true })
    checkpoints.pin({ run, step: 300, pinned: false })
    expect(checkpoints.list({ run }).map(({ pinned }) => pinned)).toEqual([false, false, false, false])
  })
})
