import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TrainEvent } from '../../src/main/contract/run'
import { eventsFile, openEventLog } from '../../src/main/store/eventLog'
import { saveCheckpoint } from '../../src/main/store/checkpoints'
import { adoptLock, liveLock, releaseLock, takeLock } from '../../src/main/store/processLock'
import { lockRun } from '../../src/main/store/runFolder'
import { openRunStore } from '../../src/main/store/runStore'
import { draftOf, ending, evaluatedAt, started, stepAt, temporaryFolder, temporaryWorkspace } from './fixtures'

describe('run folders', () => {
  it('get a name from the recipe, and never the same one twice', () => {
    const store = openRunStore(temporaryWorkspace())
    const made = [store.create(draftOf('Größe! 1')), store.create(draftOf('Größe! 1')), store.create(draftOf('…'))]
    expect(made[0]!.manifest.id).toMatch(/^gro-e-1-\d{6}-\d{6}$/)
    expect(new Set(made.map(({ manifest }) => manifest.id)).size).toBe(3)
    expect(made[2]!.manifest.id).toMatch(/^run-/)
    expect(readdirSync(made[0]!.folder).sort()).toEqual(['checkpoints', 'run.json'])
    store.close()
  })

  it('tell the status by the lock, not by the events alone', () => {
    const store = openRunStore(temporaryWorkspace())
    const { folder, manifest } = store.create(draftOf())
    const status = () => store.card(manifest.id).status
    expect(status()).toBe('interrupted')
    const lock = lockRun(folder, manifest.id)
    expect(status()).toBe('queued')
    const log = openEventLog(folder)
    log.append(started())
    log.append(stepAt(1))
    expect(status()).toBe('running')
    expect(() => store.remove(manifest.id)).toThrow(/being trained by process/)
    lock.release()
    expect(status()).toBe('interrupted')
    log.append(ending('stopped', 1))
    expect(store.card(manifest.id)).toMatchObject({ status: 'stopped', resumeStep: 0 })
    log.append({ ...ending('stopped', 1), event: 'failed', error: { code: 'trainer-died', message: 'died' } } as never)
    expect(store.card(manifest.id)).toMatchObject({ status: 'interrupted', error: { code: 'trainer-died' } })
    log.append(ending('finished', 2))
    expect(store.card(manifest.id)).toMatchObject({ status: 'finished', resumeStep: null, error: null })
    log.close()
    store.close()
  })

  it('fold into cards; a resume supersedes what came after its step', () => {
    const store = openRunStore(temporaryWorkspace())
    const { folder, manifest } = store.create(draftOf())
    const log = openEventLog(folder)
    log.append(started(0, 80))
    for (let step = 1; step <= 60; step++) log.append(stepAt(step, step))
    log.append(evaluatedAt(40, 0.7, true))
    log.append(evaluatedAt(60, 0.8, true))
    expect(store.card(manifest.id)).toMatchObject({ step: 60, best: { metric: 'validation/accuracy', value: 0.8, step: 60 }, accuracies: [0.7, 0.8] })
    saveCheckpoint(folder, { step: 40, epoch: 4, files: {}, metrics: {}, best: true })
    expect(store.card(manifest.id).resumeStep).toBe(40)
    log.append(started(40, 80))
    const card = store.card(manifest.id)
    expect(card).toMatchObject({ step: 40, best: { value: 0.7, step: 40 }, accuracies: [0.7] })
    expect(card.losses).toHaveLength(20)
    expect(card.losses[0]).toBe(1.5)
    expect(card.metrics['validation/accuracy']).toBe(0.8)
    log.close()
    store.close()
  })

  it('count only the time of training, and show a resume as running while it prepares', () => {
    const store = openRunStore(temporaryWorkspace())
    const { folder, manifest } = store.create(draftOf())
    const at = (time: number, event: TrainEvent, seq: number) => appendFileSync(eventsFile(folder), `${JSON.stringify({ ...event, seq, time })}\n`)
    at(1000, started(), 0)
    at(5000, ending('stopped', 5), 1)
    const lock = lockRun(folder, manifest.id)
    expect(store.card(manifest.id).status).toBe('queued')
    const later = Date.now() + 1000
    at(later, { event: 'phase', phase: 'prepare', done: null, total: null, message: 'Loading' }, 2)
    expect(store.card(manifest.id)).toMatchObject({ status: 'running', seconds: 4 })
    at(later + 1000, started(5), 3)
    at(later + 3000, ending('finished', 9), 4)
    lock.release()
    expect(store.card(manifest.id)).toMatchObject({ status: 'finished', seconds: 6 })
    store.close()
  })

  it('go to the trash, and folders that are no runs are left alone', () => {
    const workspace = temporaryWorkspace()
    const store = openRunStore(workspace)
    const { manifest, folder } = store.create(draftOf())
    writeFileSync(join(workspace.runs, 'notes.txt'), 'mine')
    store.remove(manifest.id)
    expect(existsSync(folder)).toBe(false)
    expect(readdirSync(workspace.trash)).toHaveLength(1)
    expect(store.cards()).toEqual([])
    expect(() => store.card(manifest.id)).toThrow(/no run/)
    expect(() => store.card('../../etc')).toThrow()
    store.close()
  })
})

describe('the index', () => {
  it.each(['deleted', 'corrupt', 'a folder'])('is rebuilt from the folders when %s', (how) => {
    const workspace = temporaryWorkspace()
    const first = openRunStore(workspace)
    const { folder } = first.create(draftOf())
    const log = openEventLog(folder)
    log.append(started())
    log.append(stepAt(1))
    log.append(ending('finished', 1))
    log.close()
    const before = first.cards()
    first.close()
    for (const suffix of ['', '-wal', '-shm']) rmSync(workspace.index + suffix, { force: true })
    if (how === 'corrupt') writeFileSync(workspace.index, 'this is not a database at all, sorry'.repeat(200))
    if (how === 'a folder') mkdirSync(join(workspace.index, 'inside'), { recursive: true })
    const second = openRunStore(workspace)
    expect(second.cards()).toEqual(before)
    second.close()
    const third = openRunStore(workspace)
    expect(third.cards()).toEqual(before)
    expect(readFileSync(workspace.index).subarray(0, 6).toString()).toBe('SQLite')
    third.close()
  })

  it('lives in memory where no file can be kept, nor one that is there be taken away', () => {
    const workspace = temporaryWorkspace()
    const store = openRunStore({ ...workspace, index: join(workspace.runs, '..', 'file', 'index.sqlite') })
    writeFileSync(join(workspace.runs, '..', 'file'), '')
    const { manifest } = store.create(draftOf())
    expect(store.cards().map(({ id }) => id)).toEqual([manifest.id])
    store.close()
  })

  it('serves two programs at once', () => {
    const workspace = temporaryWorkspace()
    const [a, b] = [openRunStore(workspace), openRunStore(workspace)]
    const { folder, manifest } = a.create(draftOf())
    const log = openEventLog(folder)
    log.append(started())
    log.append(ending('finished', 0))
    expect(a.card(manifest.id)).toEqual(b.card(manifest.id))
    a.remove(manifest.id)
    expect(b.cards()).toEqual([])
    log.close()
    a.close()
    b.close()
  })
})

describe('process locks', () => {
  it('belong to one living process at a time', () => {
    const path = join(temporaryFolder(), 'lock')
    const held = takeLock(path)!
    expect(liveLock(path)?.pid).toBe(process.pid)
    expect(takeLock(path)).toBeNull()
    const adopted = adoptLock(path, held.token)!
    expect(adoptLock(path, 'other')).toBeNull()
    adopted.release()
    expect(liveLock(path)).toBeNull()
    expect(takeLock(path)).not.toBeNull()
  })

  it('of a dead process, or of an earlier process with the same number, count for nothing', async () => {
    const path = join(temporaryFolder(), 'lock')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await new Promise(resolve => child.once('spawn', resolve))
    writeFileSync(path, JSON.stringify({ token: 't', pid: child.pid, identity: 'another boot:1', since: 1 }))
    expect(liveLock(path)).toBeNull()
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
    writeFileSync(path, JSON.stringify({ token: 't', pid: child.pid, identity: null, since: 1 }))
    expect(liveLock(path)).toBeNull()
    const held = takeLock(path)!
    releaseLock(path, 'not the token')
    expect(liveLock(path)?.token).toBe(held.token)
    held.release()
  })

  it('a torn lock file does not block', () => {
    const path = join(temporaryFolder(), 'lock')
    writeFileSync(path, '{"tok')
    expect(takeLock(path)).not.toBeNull()
  })
})
