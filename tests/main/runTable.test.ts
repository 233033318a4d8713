import { appendFileSync, cpSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writeRuns } from '../../bench/runs/synthetic'
import { RunQuery } from '../../src/main/contract/runQuery'
import { LabelInput, type RunChange, RunId } from '../../src/main/contract/run'
import { watchChanges } from '../../src/main/services/runFeeds'
import { eventsFile, openEventLog } from '../../src/main/store/eventLog'
import { lockRun } from '../../src/main/store/runFolder'
import { openRunStore, type RunStore } from '../../src/main/store/runStore'
import { openQueueFile } from '../../src/main/store/queueFile'
import type { Workspace } from '../../src/main/store/paths'
import { draftOf, ending, evaluatedAt, started, stepAt, temporaryWorkspace } from './fixtures'

const long = new Date(Date.now() - 3600_000)

function openStore(workspace: Workspace): RunStore {
  const store = openRunStore(workspace)
  onTestFinished(() => store.close())
  return store
}

/** A finished run whose folder looks as if it had been left alone for an hour. */
function finishedRun(store: RunStore, name: string, accuracy: number, change: object = {}): string {
  const draft = draftOf(name)
  const { folder, manifest } = store.create({ ...draft, recipe: { ...draft.recipe, ...change } })
  const log = openEventLog(folder)
  for (const event of [started(0, 20), stepAt(1), evaluatedAt(10, accuracy, true), ending('finished', 20)]) log.append(event)
  log.close()
  settle(folder)
  return manifest.id
}

function settle(folder: string): void {
  for (const path of [join(folder, 'checkpoints'), folder]) utimesSync(path, long, long)
}

const ids = (store: RunStore, query: object = {}) => store.query(RunQuery.parse(query)).groups.flatMap(({ runs }) => runs)
const label = (store: RunStore, input: object) => store.label(LabelInput.parse(input))

describe('a table of runs', () => {
  it('opens from its index without reading a folder that is as it was', () => {
    const workspace = temporaryWorkspace()
    const first = openStore(workspace)
    const run = finishedRun(first, 'one', 0.8)
    const before = first.cards()
    first.close()
    // Would be noticed by whoever read it: the size, the folder's time and the lock are as before.
    writeFileSync(join(workspace.runs, run, 'run.json'), 'no longer a recipe')
    settle(join(workspace.runs, run))
    expect(openStore(workspace).cards()).toEqual(before)
  })

  it('sees what other programs do: new, changed, copied in, taken away', () => {
    const workspace = temporaryWorkspace()
    const [here, there] = [openStore(workspace), openStore(workspace)]
    const run = finishedRun(there, 'one', 0.8)
    here.refresh(Infinity, 1000)
    const opened = here.changesSince(0)
    let { revision } = opened
    expect(opened.cards.map(({ id }) => id)).toEqual([run])
    const next = () => {
      here.refresh(Infinity, 1000)
      const changes = here.changesSince(revision)
      revision = changes.revision
      return changes
    }
    expect(next()).toMatchObject({ cards: [], removed: [] })
    label(there, { runs: [run], addTags: ['paper'], favourite: true })
    expect(next().cards).toMatchObject([{ id: run, labels: { favourite: true, tags: ['paper'] } }])
    settle(join(workspace.runs, run))
    next()
    appendFileSync(eventsFile(join(workspace.runs, run)), `${JSON.stringify({ ...ending('finished', 19), seq: 9, time: 1 })}\n`)
    settle(join(workspace.runs, run))
    expect(next().cards).toMatchObject([{ id: run, step: 19 }])
    const copy = RunId.parse(`${run}-copy`)
    cpSync(join(workspace.runs, run), join(workspace.runs, copy), { recursive: true })
    writeFileSync(join(workspace.runs, copy, 'run.json'), JSON.stringify({ ...here.manifest(run), id: copy }))
    expect(next().cards.map(({ id }) => id)).toEqual([copy])
    renameSync(join(workspace.runs, run), join(workspace.trash, run))
    expect(next()).toMatchObject({ cards: [], removed: [run] })
    expect(ids(here)).toEqual([copy])
    rmSync(join(workspace.runs, copy), { recursive: true })
    expect(next().removed).toEqual([copy])
    renameSync(join(workspace.trash, run), join(workspace.runs, run))
    expect(next()).toMatchObject({ cards: [{ id: run }], removed: [] })
  })

  it('follows a run that is under way, and one whose trainer was killed', () => {
    const workspace = temporaryWorkspace()
    const store = openStore(workspace)
    const { folder, manifest } = store.create(draftOf())
    const lock = lockRun(folder, manifest.id)
    const log = openEventLog(folder)
    log.append(started())
    const status = () => { store.refresh(Infinity, 0); return [store.changesSince(0).cards[0]?.status, ids(store, { filters: [{ field: 'status', values: ['running'] }] }).length] }
    expect(status()).toEqual(['running', 1])
    log.close()
    lock.release()
    expect(status()).toEqual(['interrupted', 0])
  })

  it('shows runs as queued as long as they wait', () => {
    const workspace = temporaryWorkspace()
    const store = openStore(workspace)
    const run = finishedRun(store, 'waits', 0.5)
    const status = (from = store) => { from.refresh(Infinity, 0); return from.changesSince(0).cards[0]?.status }
    expect(status()).toBe('finished')
    openQueueFile(workspace.queue).change(() => ({ waiting: [{ run, lane: 'cpu' }] }))
    expect(status()).toBe('queued')
    store.close()
    openQueueFile(workspace.queue).change(() => ({ waiting: [] }))
    expect(status(openStore(workspace))).toBe('finished')
  })

  it('is read in turns when there is much to read', () => {
    const workspace = temporaryWorkspace()
    const store = openStore(workspace)
    for (let i = 0; i < 5; i++) finishedRun(store, `run ${i}`, 0.5)
    let turns = 0
    for (let more = true; more; turns++) more = store.refresh(0, 1000)
    expect(turns).toBeGreaterThan(1)
    expect(ids(store)).toHaveLength(5)
  })

  it('opens at once from its index, and is compared with the folders in turns', () => {
    const workspace = temporaryWorkspace()
    const first = openStore(workspace)
    const runs = Array.from({ length: 5 }, (_, i) => finishedRun(first, `run ${i}`, 0.5))
    first.cards()
    first.close()
    appendFileSync(eventsFile(join(workspace.runs, runs[0]!)), `${JSON.stringify({ ...ending('finished', 19), seq: 9, time: 1 })}\n`)
    settle(join(workspace.runs, runs[0]!))
    const store = openStore(workspace)
    const opened = store.changesSince(0)
    expect(opened.unread).toBe(0)
    expect(opened.cards.map(({ id, step }) => `${id} ${step}`).sort()).toEqual(runs.map(id => `${id} 20`))
    let turns = 0
    for (let more = true; more; turns++) more = store.refresh(0, 1000)
    expect(turns).toBe(5)
    expect(store.changesSince(5).cards).toMatchObject([{ id: runs[0], step: 19 }])
  })

  it('is told to a window from its newest run on, and how much of it has still to be read', async () => {
    const workspace = temporaryWorkspace()
    writeRuns(workspace, 500, 10)
    const told: RunChange[][] = []
    onTestFinished(watchChanges(openStore(workspace), changes => told.push(changes)))
    const atOnce = told.flat()
    expect(told[0]!.length).toBeLessThanOrEqual(200)
    expect(atOnce.at(-1)).toEqual({ change: 'unread', runs: 500 - (atOnce.length - 1) })
    await expect.poll(() => told.flat().at(-1), { timeout: 30_000 }).toEqual({ change: 'unread', runs: 0 })
    const cards = told.flat().flatMap(one => one.change === 'card' ? [one.card] : [])
    expect(new Set(cards.map(({ id }) => id)).size).toBe(500)
    const again: RunChange[][] = []
    onTestFinished(watchChanges(openStore(workspace), changes => again.push(changes)))
    expect(again.map(({ length }) => length)).toEqual([200, 301])
    const times = again.flat().flatMap(one => one.change === 'card' ? [one.card.createdAt] : [])
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })

  it('passes over folders that are no runs', () => {
    const workspace = temporaryWorkspace()
    const store = openStore(workspace)
    mkdirSync(join(workspace.runs, 'no-run'))
    expect(store.cards()).toEqual([])
    expect(() => store.card('no-run')).toThrow(/cannot be read/)
  })
})

describe('searching the index', () => {
  function filled() {
    const workspace = temporaryWorkspace()
    const store = openStore(workspace)
    const lora = (rank: number) => ({ type: 'lora', rank, san: null })
    const runs = {
      ssf: finishedRun(store, 'digits ssf', 0.9, { seed: 1 }), san: finishedRun(store, 'digits "san"', 0.95, { method: { type: 'ssf', san: { preset: 'paper' } } }),
      low: finishedRun(store, 'pets lora', 0.6, { method: lora(4), data: { ...draftOf().recipe.data, from: 'pets' } }), high: finishedRun(store, 'pets lora wide', 0.7, { method: lora(16), data: { ...draftOf().recipe.data, from: 'pets' } }),
    }
    store.cards()
    return { store, runs }
  }

  it('finds every word in name, data, method, tags and note', () => {
    const { store, runs } = filled()
    label(store, { runs: [runs.high], note: 'Rank as in the Paper', addTags: ['camera ready'] })
    expect(ids(store, { words: 'LORA pets' }).sort()).toEqual([runs.low, runs.high].sort())
    expect(ids(store, { words: 'paper' })).toEqual([runs.high])
    expect(ids(store, { words: 'camera' })).toEqual([runs.high])
    expect(ids(store, { words: `' OR 1=1 --` })).toEqual([])
    expect(ids(store, { words: '%' })).toEqual([])
    expect(ids(store, { words: '"san"' })).toEqual([runs.san])
  })

  it('filters by fields of the recipe, of the card, and by tags', () => {
    const { store, runs } = filled()
    label(store, { runs: [runs.low, runs.ssf], archived: true, addTags: ['a', 'b'] })
    label(store, { runs: [runs.ssf], removeTags: ['a'] })
    const by = (...filters: object[]) => new Set(ids(store, { filters }))
    expect(by({ field: 'method.rank', values: [4, 16] })).toEqual(new Set([runs.low, runs.high]))
    expect(by({ field: 'method.rank', values: [null] })).toEqual(new Set([runs.ssf, runs.san]))
    expect(by({ field: 'method.rank', values: [4], not: true })).toEqual(new Set([runs.high, runs.ssf, runs.san]))
    expect(by({ field: 'method', values: ['ssf san'] })).toEqual(new Set([runs.san]))
    expect(by({ field: 'archived', values: [false] })).toEqual(new Set([runs.san, runs.high]))
    expect(by({ field: 'tags', values: ['a'] })).toEqual(new Set([runs.low]))
    expect(by({ field: 'tags', values: ['a'], not: true }, { field: 'archived', values: [true] })).toEqual(new Set([runs.ssf]))
    expect(by({ field: 'no.such.field', values: ['x'] })).toEqual(new Set())
    expect(RunQuery.safeParse({ filters: [{ field: `a"') OR 1=1`, values: [1] }] }).success).toBe(false)
  })

  it('sorts and groups by any field, and tells the best of a group', () => {
    const { store, runs } = filled()
    expect(ids(store, { sort: { field: 'best', down: true } })).toEqual([runs.san, runs.ssf, runs.high, runs.low])
    expect(ids(store, { sort: { field: 'method.rank', down: false } }).slice(0, 2)).toEqual([runs.low, runs.high])
    const { total, groups } = store.query(RunQuery.parse({ groupBy: 'data', sort: { field: 'best', down: true } }))
    expect(total).toBe(4)
    expect(groups).toEqual([{ value: 'digits', best: 0.95, runs: [runs.san, runs.ssf] }, { value: 'pets', best: 0.7, runs: [runs.high, runs.low] }])
  })

  it('knows the fields, and the values of each with their number', () => {
    const { store } = filled()
    expect(store.fields()).toEqual(expect.arrayContaining(['method.rank', 'method.san.preset', 'train.epochs', 'data.split.validation']))
    expect(store.fields()).not.toContain('name')
    expect(store.values('method.rank')).toEqual(expect.arrayContaining([{ value: null, runs: 2 }, { value: 4, runs: 1 }, { value: 16, runs: 1 }]))
    expect(store.values('data')).toEqual([{ value: 'digits', runs: 2 }, { value: 'pets', runs: 2 }])
    expect(store.values('favourite')).toEqual([{ value: 0, runs: 4 }])
  })

  it('gives sparklines for the rows that are seen, and none with the list', () => {
    const { store, runs } = filled()
    expect(store.sparklines([runs.ssf, 'unknown-run'])).toEqual([{ run: runs.ssf, losses: [0.5], accuracies: [0.9] }])
    expect(store.cards().every(({ losses, accuracies }) => losses.length === 0 && accuracies?.length === 0)).toBe(true)
    expect(store.card(runs.ssf).losses).toEqual([0.5])
  })
})
