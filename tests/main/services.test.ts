import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { JobProgress } from '../../src/main/contract/progress'
import type { RunCard, RunEvent } from '../../src/main/contract/run'
import { encodeSafetensors } from '../../src/main/engine/io/safetensors'
import { createServices, nodeFork } from '../../src/main/services/index'
import { saveCheckpoint } from '../../src/main/store/checkpoints'
import { readEvents } from '../../src/main/store/eventLog'
import { emptyOldTrash } from '../../src/main/store/trash'
import { lockWindow } from '../../src/main/store/windowLock'
import { bundle } from './bundle'
import { temporaryFolder } from './fixtures'

const MODEL = resolve('tests/fixtures/reference/timm-vit-cls/model')
let trainer: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => { trainer = await bundle('tests/main/fakeTrainer.ts') })
afterAll(() => trainer.remove())

function bench() {
  const folder = temporaryFolder()
  const resources = join(folder, 'resources')
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, 'data/train', name), { recursive: true })
    for (const image of [1, 2, 3]) writeFileSync(join(folder, 'data/train', name, `${image}.png`), '')
  }
  mkdirSync(join(resources, 'samples/backbones'), { recursive: true })
  const open = () => {
    const services = createServices({ workspace: join(folder, 'workspace'), resources, version: '1', fork: nodeFork(trainer.path) })
    onTestFinished(() => services.close())
    return services
  }
  const recipe = (name: string, change: object = {}) => ({ name, backbone: { from: MODEL }, data: { from: join(folder, 'data') }, method: { type: 'ssf' }, ...change })
  return { folder, open, recipe }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 15_000; Date.now() < end;) {
    if (holds()) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`waited in vain until ${what}`)
}

describe('runs', () => {
  it('start frozen, and tell their events from disk and then live, without a gap', async () => {
    const { open, recipe } = bench()
    const services = open()
    const { run } = await services.runs.start(recipe('slow'))
    const { manifest } = services.runs.show({ run })
    expect(manifest).toMatchObject({ recipe: { name: 'slow', backbone: { from: MODEL } }, resolved: { backbonePath: MODEL, classes: ['a', 'b'] } })
    expect(manifest.resolved.backboneHash).toMatch(/^[0-9a-f]{64}$/)
    expect(manifest.resolved.trainable).toBeGreaterThan(0)
    const seen: RunEvent[] = []
    const cards: RunCard[] = []
    onTestFinished(services.runs.changes(undefined, changed => cards.push(...changed.flatMap(one => one.change === 'card' ? [one.card] : []))))
    onTestFinished(services.runs.watch({ run, after: -1 }, events => seen.push(...events)))
    await until(() => seen.length > 5, 'the feed has begun')
    const late: RunEvent[] = []
    onTestFinished(services.runs.watch({ run, after: 3 }, events => late.push(...events)))
    await until(() => seen.at(-1)?.event === 'finished' && late.at(-1)?.event === 'finished' && cards.at(-1)?.status === 'finished', 'all feeds have ended')
    expect(seen).toEqual(readEvents(services.runs.show({ run }).card.folder))
    expect(late).toEqual(seen.slice(4))
    expect(cards.map(({ status }) => status)).toContain('running')
  })

  it('of another program are seen, stopped, and gone on with', async () => {
    const { open, recipe } = bench()
    const [window, commandLine] = [open(), open()]
    const { run } = await commandLine.runs.start(recipe('slow'))
    await until(() => window.runs.show({ run }).card.step > 3, 'the run is under way')
    expect(window.runs.show({ run }).card.status).toBe('running')
    await expect(window.runs.resume({ run })).rejects.toMatchObject({ code: 'run-busy' })
    expect(() => window.runs.remove({ run })).toThrow(/being trained/)
    expect(() => window.checkpoints.remove({ run, step: 10 })).toThrow(/being trained/)
    window.runs.stop({ run })
    await until(() => window.runs.show({ run }).card.status === 'stopped', 'it has stopped')
    await window.runs.resume({ run })
    await until(() => commandLine.runs.show({ run }).card.status === 'finished', 'it has finished')
    expect(() => window.runs.stop({ run })).toThrow(/finished; there is nothing to stop/)
  })

  it('save when they are asked to, pinned; only the program that trains a run can ask', async () => {
    const { open, recipe } = bench()
    const [window, other] = [open(), open()]
    const { run } = await window.runs.start(recipe('slow'))
    await until(() => window.runs.show({ run }).card.step > 2, 'the run is under way')
    expect(() => other.runs.ask({ run, what: 'save' })).toThrow(/trained by another program; only a run that trains here can be asked to save now/)
    window.runs.ask({ run, what: 'save' })
    await until(() => window.checkpoints.list({ run }).some(({ pinned }) => pinned), 'it has saved')
    const [asked] = window.checkpoints.list({ run })
    expect(asked!.step % 10).not.toBe(0)
    await until(() => window.runs.show({ run }).card.status === 'finished', 'it has finished')
    expect(window.checkpoints.list({ run }).filter(({ pinned }) => pinned)).toHaveLength(1)
    expect(() => window.runs.ask({ run, what: 'evaluate' })).toThrow(/is finished; only a run that trains here/)
  })

  it('begin with the weights of a checkpoint that fit their recipe, and keep a copy of them', async () => {
    const { folder, open, recipe } = bench()
    const { runs, checkpoints } = open()
    const { run } = await runs.start(recipe('plain'))
    await until(() => runs.show({ run }).card.status === 'finished', 'it has finished')
    const { trainable } = await runs.plan(recipe('plain'))
    const tensors = trainable.sites.flatMap(({ site, tensors: own }) => own.map(({ name, shape, count }) => ({ name: `${site}.${name}`, dtype: 'F32' as const, shape, data: new Float32Array(count).fill(0.5) })))
    const weights = await encodeSafetensors(tensors)
    saveCheckpoint(runs.show({ run }).card.folder, { step: 99, epoch: 1, files: { 'trained.safetensors': [weights] }, metrics: {}, best: true })
    const again = await runs.restart({ run, checkpoint: 'best', recipe: null })
    const { card, manifest } = runs.show(again)
    expect(manifest).toMatchObject({ recipe: { name: 'plain, from step 99', method: { type: 'ssf' } }, origin: { restartOf: run, restartStep: 99 } })
    expect(card.variant).not.toBe(runs.show({ run }).card.variant)
    checkpoints.remove({ run, step: 99 })
    expect(readFileSync(join(card.folder, 'start.safetensors')).equals(weights)).toBe(true)
    saveCheckpoint(runs.show({ run }).card.folder, { step: 99, epoch: 1, files: { 'trained.safetensors': [weights] }, metrics: {}, best: true })
    const restart = (change: object) => runs.restart({ run, checkpoint: 99, recipe: recipe('other', change) })
    expect(runs.show(await restart({ train: { epochs: 3, learningRate: 0.1 } })).manifest).toMatchObject({ recipe: { name: 'other', train: { epochs: 3 } }, origin: { restartStep: 99 } })
    await expect(restart({ method: { type: 'lora', rank: 2 } })).rejects.toThrow(/The weights of step 99 of plain-.* do not fit: they come from ssf, and .* is not among them\. Keep what they were trained with/)
    await expect(restart({ method: { type: 'linear-probe' } })).rejects.toThrow(/do not fit: .* would not be trained/)
    const wrong = async (checkpoint: number, draft: Record<string, unknown>) => (await runs.planRestart({ run, checkpoint, recipe: draft })).notices.filter(({ level }) => level === 'error')
    expect(await wrong(99, recipe('other'))).toEqual([])
    expect(await wrong(99, recipe('other', { method: { type: 'lora', rank: 2 } }))).toMatchObject([{ field: 'method', message: expect.stringMatching(/^The weights of step 99 .* is not among them/) }])
    expect(await wrong(99, recipe('other', { backbone: { from: resolve('tests/fixtures/reference/hf-vit/model') } }))).toMatchObject([{ field: 'backbone.from', message: expect.stringContaining('the backbone is another') }])
    expect(await wrong(98, recipe('other'))).toMatchObject([{ field: 'weights', message: expect.stringContaining('has no checkpoint at step 98') }])
    expect((await wrong(99, {})).map(({ field }) => field)).toEqual(['backbone.from', 'data.from'])
    const training = await runs.launch({ draft: null, bases: [], from: { run, checkpoint: 'best' } })
    await training.result
    expect(runs.show({ run: training.run })).toMatchObject({ card: { status: 'finished' }, manifest: { origin: { restartOf: run, restartStep: 99 } } })
    await expect(runs.launch({ draft: recipe('other', { method: { type: 'lora' } }), bases: [], from: { run, checkpoint: 99 } })).rejects.toMatchObject({ code: 'recipe-invalid', field: 'method' })
    mkdirSync(join(folder, 'data/train/c'))
    writeFileSync(join(folder, 'data/train/c/1.png'), '')
    await expect(restart({})).rejects.toMatchObject({ code: 'recipe-invalid', field: 'data.from', message: expect.stringContaining('the data has other classes') })
  })

  it('wait for each other; when the program closes, one stops and the other waits on', async () => {
    const { open, recipe } = bench()
    const services = open()
    const first = await services.runs.start(recipe('slow'))
    const second = await services.runs.start(recipe('slow'))
    await until(() => services.runs.show(first).card.status === 'running', 'the first runs')
    expect(services.runs.show(second).card.status).toBe('queued')
    expect(services.runs.training()).toEqual([first.run])
    await services.close()
    const later = open()
    expect([first, second].map(({ run }) => later.runs.show({ run }).card.status)).toEqual(['stopped', 'queued'])
  })

  it('go on only where their data and weights are as they were', async () => {
    const { folder, open, recipe } = bench()
    const services = open()
    const { run } = await services.runs.start(recipe('kill'))
    await until(() => services.runs.show({ run }).card.error !== null, 'its death was noted')
    expect(services.runs.show({ run }).card).toMatchObject({ status: 'interrupted', resumeStep: 20, error: { code: 'trainer-died' } })
    renameSync(join(folder, 'data'), join(folder, 'elsewhere'))
    await expect(services.runs.resume({ run })).rejects.toThrow(/its data .* is gone/)
  })

  it('are compared field by field', async () => {
    const { open, recipe } = bench()
    const services = open()
    const ids = []
    for (const change of [{ seed: 1 }, { seed: 2, method: { type: 'lora', rank: 2 } }]) {
      const { run } = await services.runs.start(recipe('plain', change))
      await until(() => services.runs.show({ run }).card.status === 'finished', 'it has finished')
      ids.push(run)
    }
    const { differences } = services.runs.compare({ runs: ids })
    expect(differences).toContainEqual({ field: 'seed', values: [1, 2] })
    expect(differences).toContainEqual({ field: 'method.type', values: ['ssf', 'lora'] })
    expect(differences.some(({ field }) => field === 'name' || field === 'train.epochs')).toBe(false)
    expect(services.runs.differsFrom(ids[0]!, recipe('other name', { seed: 1 }))).toBeNull()
    expect(services.runs.differsFrom(ids[0]!, recipe('plain', { seed: 1, train: { epochs: 3 } }))).toBe('train.epochs')
  })
})

describe('evaluations', () => {
  it('try whole paths alone, and only where there is a checkpoint', async () => {
    const { open, recipe } = bench()
    const services = open()
    const { run } = await services.runs.start(recipe('plain'))
    const attempt = (files: string[]) => services.evaluations.predict({ run, checkpoint: 'best', files })
    await expect(attempt(['/x.png'])).rejects.toThrow(/no checkpoint yet/)
    await until(() => services.runs.show({ run }).card.status === 'finished', 'it has finished')
    await expect(attempt(['/x.png', '../x.png'])).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining('../x.png is not a whole path') })
    expect(await attempt(['/x.png'])).toMatchObject([{ file: '/x.png', top: [{ probability: 1 }], problem: null }])
    expect(services.evaluations.list({ run })).toEqual([])
    expect(() => services.evaluations.list({ run: 'no-such-run' })).toThrow(/no run/)
  })
})

describe('what the tensors of a backbone hold', () => {
  it('tells how far it is to all who look; cancelled, it ends for all who wait, and begins anew', async () => {
    const { folder, open } = bench()
    const { models } = open()
    const told: JobProgress[] = []
    onTestFinished(models.tensorsProgress({ path: MODEL }, events => told.push(...events)))
    const both = Promise.allSettled([models.tensors({ path: MODEL }), models.tensors({ path: MODEL })])
    await until(() => told.some(({ done }) => done !== null && done > 2), 'it is under way')
    const late: JobProgress[] = []
    onTestFinished(models.tensorsProgress({ path: MODEL }, events => late.push(...events)))
    expect(late).toMatchObject([{ state: 'running', message: 'a.weight', total: 40 }])
    models.cancelTensors({ path: MODEL })
    expect(await both).toMatchObject([1, 2].map(() => ({ status: 'rejected', reason: { code: 'cancelled' } })))
    expect([told, late].map(events => events.at(-1)!.state)).toEqual(['ended', 'ended'])
    const kept = () => readdirSync(join(folder, 'workspace/cache')).filter(name => name.startsWith('tensors-'))
    expect(kept()).toEqual([])
    expect(await models.tensors({ path: MODEL })).toEqual([])
    expect(kept()).toHaveLength(1)
    expect(() => models.cancelTensors({ path: '/nowhere' })).toThrow(/does not exist/)
  })
})

describe('plans', () => {
  it('speak of what is missing or wrong, field by field, and never throw', async () => {
    const { open, recipe } = bench()
    const { runs } = open()
    const notices = async (draft: unknown) => (await runs.plan(draft)).notices.map(({ field, message }) => `${field}: ${message}`)
    expect(await notices({})).toEqual(expect.arrayContaining(['backbone.from: Choose a backbone.', 'data.from: Choose a dataset.']))
    expect((await notices(recipe('x', { backbone: { from: 'nowhere' } })))[0]).toMatch(/^backbone.from: "nowhere" is neither/)
    expect((await notices(recipe('x', { backbone: { from: 7 } })))[0]).toMatch(/^backbone.from: /)
    expect((await notices(recipe('x', { data: { from: resolve('package.json') } })))[0]).toMatch(/^data.from: .*not a dataset/)
    expect(await runs.plan(recipe('x'))).toMatchObject({ steps: { total: expect.any(Number) }, trainable: { total: expect.any(Number) } })
    for (const draft of [null, 7, [], 'x', { train: null }, { backbone: null, data: [], method: 3 }]) expect(Array.isArray((await runs.plan(draft)).notices)).toBe(true)
  })
})

describe('added backbones and data', () => {
  it('are kept by path under an id, once', async () => {
    const { folder, open, recipe } = bench()
    const { models, datasets, runs } = open()
    const model = await models.add({ path: MODEL })
    expect(model).toMatchObject({ id: 'model', source: 'added', imageSize: 32, problem: null })
    expect((await models.add({ path: `${MODEL}/` })).id).toBe('model')
    await datasets.add({ path: join(folder, 'data') })
    const second = open()
    expect((await second.models.list()).map(({ id }) => id)).toEqual(['model'])
    expect((await second.datasets.list())[0]).toMatchObject({ id: 'data', classes: ['a', 'b'], splits: { train: 6 } })
    expect((await runs.plan(recipe('x', { backbone: { from: 'model' }, data: { from: 'data' } }))).notices.filter(({ level }) => level === 'error')).toEqual([])
    models.remove({ id: 'model' })
    expect(await models.list()).toEqual([])
    expect(() => models.remove({ id: 'model' })).toThrow(/nothing to remove/)
    await expect(models.add({ path: join(folder, 'nowhere') })).rejects.toMatchObject({ code: 'not-found' })
    await expect(datasets.add({ path: resolve('package.json') })).rejects.toMatchObject({ code: 'dataset-unreadable' })
  })

  it('call their classes as a person says; a run keeps what they were called when it began', async () => {
    const { folder, open, recipe } = bench()
    const { datasets, queue, runs } = open()
    const { id } = await datasets.add({ path: join(folder, 'data') })
    queue.pause({ lane: (await queue.list()).next, paused: true })
    const frozen = async () => {
      const { runs: [run] } = await queue.add({ recipes: [recipe('x')] })
      return runs.show({ run: run! }).manifest.resolved
    }
    expect(await frozen()).not.toHaveProperty('names')
    expect(await datasets.nameClasses({ id, names: ['ant', 'b'] })).toMatchObject({ classes: ['a', 'b'], names: ['ant', 'b'] })
    await expect(datasets.nameClasses({ id, names: ['ant', 'ant'] })).rejects.toMatchObject({ code: 'bad-input', field: 'names' })
    await expect(datasets.nameClasses({ id: 'nothing', names: [] })).rejects.toMatchObject({ code: 'not-found' })
    expect((await open().datasets.list())[0]).toMatchObject({ names: ['ant', 'b'] })
    const named = await frozen()
    expect(named).toMatchObject({ classes: ['a', 'b'], names: ['ant', 'b'] })
    await datasets.nameClasses({ id, names: ['a', 'b'] })
    expect(await frozen()).not.toHaveProperty('names')
    expect(named.names).toEqual(['ant', 'b'])
  })

  it('that are gone are shown with their problem; a broken registry is put aside', async () => {
    const { folder, open } = bench()
    const { datasets, workspace } = open()
    await datasets.add({ path: join(folder, 'data') })
    renameSync(join(folder, 'data'), join(folder, 'elsewhere'))
    const later = open()
    expect((await later.datasets.list())[0]!.problem).toMatch(/data/)
    writeFileSync(workspace.datasets, '{ broken')
    expect(await later.datasets.list()).toEqual([])
    expect(readdirSync(workspace.root)).toContain('datasets.json.broken')
  })
})

describe('the workspace', () => {
  it('keeps settings, and lets only one window in', () => {
    const { open } = bench()
    const { settings, workspace } = open()
    expect(settings.get().theme).toBe('system')
    settings.set({ theme: 'dark', density: undefined })
    expect(open().settings.get()).toMatchObject({ theme: 'dark', density: 'comfortable' })
    writeFileSync(workspace.settings, 'broken')
    expect(settings.get().theme).toBe('system')
    const lock = lockWindow(workspace)
    expect(() => lockWindow(workspace)).toThrow(/already open on/)
    lock.release()
    lockWindow(workspace).release()
  })

  it('forgets the trash after a month', () => {
    const { workspace } = bench().open()
    for (const name of [`old.${Date.now() - 40 * 86400_000}`, `new.${Date.now()}`, 'other']) mkdirSync(join(workspace.trash, name))
    emptyOldTrash(workspace)
    expect(readdirSync(workspace.trash).map(name => name.split('.')[0]).sort()).toEqual(['new', 'other'])
  })
})
