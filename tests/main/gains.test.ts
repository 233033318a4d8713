import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { saveCheckpoint } from '../../src/main/store/checkpoints'
import { gainsDue, gainSteps, readGainMap, rewindGains, saveGains, superfluous, writeGainMap } from '../../src/main/store/gains'
import { temporaryFolder } from './fixtures'

const record = (step: number) => Uint8Array.of(step & 255)
const map = { format: 1 as const, sites: [], paths: [] }
function runFolder(): string {
  const folder = temporaryFolder()
  writeGainMap(folder, map)
  return folder
}

describe('records of gains', () => {
  it('are files by step beside the map', () => {
    const folder = runFolder()
    for (const step of [0, 100, 1_000_000]) saveGains(folder, step, record(step))
    expect(gainSteps(folder)).toEqual([0, 100, 1_000_000])
    expect(readGainMap(folder)).toEqual(map)
    expect(readGainMap(temporaryFolder())).toBeNull()
    expect(gainSteps(temporaryFolder())).toEqual([])
  })

  it('stay at most sixty, spread over the run, with its start, its end and its checkpoints', () => {
    const folder = runFolder()
    saveCheckpoint(folder, { step: 7, epoch: 1, files: {}, metrics: {}, best: true })
    for (let step = 0; step <= 200; step++) saveGains(folder, step, record(step))
    const steps = gainSteps(folder)
    expect(steps).toHaveLength(60)
    expect([steps[0], steps.at(-1)]).toEqual([0, 200])
    expect(steps).toContain(7)
    expect(Math.max(...steps.slice(1).map((step, i) => step - steps[i]!))).toBeLessThanOrEqual(8)
  })

  it('are dropped where their neighbours are nearest', () => {
    expect(superfluous([0, 10, 11, 20, 30], 3, new Set())).toEqual([11, 10])
    expect(superfluous([0, 10, 11, 20, 30], 4, new Set([10]))).toEqual([11])
    expect(superfluous([0, 1], 1, new Set())).toEqual([])
  })

  it('are due sooner at first and as seldom as a sixtieth of the way later', () => {
    const folder = runFolder()
    expect(gainsDue(folder, 0)).toBe(true)
    saveGains(folder, 0, record(0))
    expect(gainsDue(folder, 0)).toBe(false)
    expect(gainsDue(folder, 1)).toBe(true)
    saveGains(folder, 6000, record(1))
    expect(gainsDue(folder, 6050)).toBe(false)
    expect(gainsDue(folder, 6120)).toBe(true)
  })

  it('go back with the run, and lose what a killed writer left', () => {
    const folder = runFolder()
    for (const step of [0, 50, 100, 150]) saveGains(folder, step, record(step))
    mkdirSync(join(folder, 'gains'), { recursive: true })
    writeFileSync(join(folder, 'gains', '.tmp-1-ab-step-000200.safetensors'), 'half')
    rewindGains(folder, 100)
    expect(readdirSync(join(folder, 'gains')).sort()).toEqual(['map.json', 'step-000000.safetensors', 'step-000050.safetensors', 'step-000100.safetensors'])
    rewindGains(temporaryFolder(), 0)
  })
})
