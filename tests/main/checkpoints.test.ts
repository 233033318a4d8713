import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  checkpointCards, checkpointFolder, findCheckpoint, listCheckpoints, pruneCheckpoints, removeCheckpoint, rewindCheckpoints, saveCheckpoint,
} from '../../src/main/store/checkpoints'
import { temporaryFolder } from './fixtures'

const save = (folder: string, step: number, best = false) =>
  saveCheckpoint(folder, { step, epoch: step / 10, files: { 'adapter.safetensors': [new Uint8Array(step)] }, metrics: { 'validation/accuracy': 0.5 }, best, trainer: { cursor: step } })
const steps = (folder: string) => listCheckpoints(folder).map(({ state }) => state.step)

describe('checkpoints', () => {
  it('are whole folders with their state', () => {
    const folder = temporaryFolder()
    const saved = save(folder, 500)
    expect(saved.sizeBytes).toBe(500)
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-000500'])
    expect(readdirSync(saved.folder).sort()).toEqual(['adapter.safetensors', 'state.json'])
    expect(findCheckpoint(folder, 500).state).toMatchObject({ step: 500, epoch: 50, trainer: { cursor: 500 } })
  })

  it('name best and last without links', () => {
    const folder = temporaryFolder()
    save(folder, 100, true)
    save(folder, 200, true)
    save(folder, 300)
    expect(findCheckpoint(folder, 'best').state.step).toBe(200)
    expect(findCheckpoint(folder, 'last').state.step).toBe(300)
    expect(checkpointCards(folder).map(card => [card.step, card.best, card.last])).toEqual([[100, false, false], [200, true, false], [300, false, true]])
    expect(() => findCheckpoint(folder, 250)).toThrow(/no checkpoint at step 250; it has 100, 200, 300/)
    expect(() => findCheckpoint(temporaryFolder(), 'best')).toThrow(/no checkpoint yet/)
  })

  it('prune to best, last and the newest others', () => {
    const folder = temporaryFolder()
    for (const step of [100, 200, 300, 400, 500, 600]) save(folder, step, step === 200)
    expect(pruneCheckpoints(folder, 2)).toEqual([100, 300])
    expect(steps(folder)).toEqual([200, 400, 500, 600])
    removeCheckpoint(folder, 400)
    expect(steps(folder)).toEqual([200, 500, 600])
  })

  it('ignore what is not whole, and go back to an earlier step', () => {
    const folder = temporaryFolder()
    for (const step of [100, 200, 300]) save(folder, step)
    truncateSync(join(checkpointFolder(folder, 300), 'adapter.safetensors'), 10)
    mkdirSync(checkpointFolder(folder, 400))
    writeFileSync(join(checkpointFolder(folder, 400), 'state.json'), '{')
    mkdirSync(join(folder, 'checkpoints', '.tmp-1-ab-step-000500'))
    expect(findCheckpoint(folder, 'last').state.step).toBe(200)
    rewindCheckpoints(folder, 200)
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-000100', 'step-000200'])
  })

  it('are replaced by one of the same step', () => {
    const folder = temporaryFolder()
    save(folder, 100)
    save(folder, 100, true)
    expect(findCheckpoint(folder, 100).state.best).toBe(true)
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-000100'])
  })

  it('refuse a file name that would leave the folder', () => {
    expect(() => saveCheckpoint(temporaryFolder(), { step: 1, epoch: 0, files: { '../x': [new Uint8Array()] }, metrics: {}, best: false })).toThrow(/cannot be a file/)
  })
})
