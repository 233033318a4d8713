import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { EngramMap } from '../contract/engram'
import { onDisk, removeTemporaries, writeFileAtomic, writeJsonAtomic } from './atomic'
import { checkpointSteps, stepsIn } from './checkpoints'

/** gains/ of a run folder: what its records are of, and a file for each recorded step. */

const RECORD = /^step-(\d{6,})\.safetensors$/
const MOST = 60

const folderOf = (runFolder: string): string => join(runFolder, 'gains')
const mapFile = (runFolder: string): string => join(folderOf(runFolder), 'map.json')
export const gainFile = (runFolder: string, step: number): string => join(folderOf(runFolder), `step-${String(step).padStart(6, '0')}.safetensors`)

/** The recorded steps, rising. */
export const gainSteps = (runFolder: string): number[] => stepsIn(folderOf(runFolder), RECORD)

export function readGainMap(runFolder: string): EngramMap | null {
  try {
    return EngramMap.parse(JSON.parse(readFileSync(mapFile(runFolder), 'utf8')))
  } catch {
    return null
  }
}

export function writeGainMap(runFolder: string, map: EngramMap): void {
  onDisk(`make ${folderOf(runFolder)}`, () => mkdirSync(folderOf(runFolder), { recursive: true }))
  writeJsonAtomic(mapFile(runFolder), map)
}

/** A long run is recorded as finely as a short one: each record is at least a sixtieth of the way from the one before. */
export function gainsDue(runFolder: string, step: number): boolean {
  const last = gainSteps(runFolder).at(-1)
  return last === undefined || (step > last && step - last >= step / MOST)
}

/** Adds a record and keeps at most sixty; those of checkpoints stay. */
export function saveGains(runFolder: string, step: number, bytes: Uint8Array): void {
  writeFileAtomic(gainFile(runFolder, step), bytes)
  for (const gone of superfluous(gainSteps(runFolder), MOST, new Set(checkpointSteps(runFolder)))) rmSync(gainFile(runFolder, gone), { force: true })
}

/** The steps to drop until `most` are left: again and again the one whose neighbours are nearest to each other. */
export function superfluous(steps: readonly number[], most: number, kept: ReadonlySet<number>): number[] {
  const left = [...steps], gone: number[] = []
  while (left.length > most) {
    const inner = left.slice(1, -1).filter(step => !kept.has(step))
    if (inner.length === 0) break
    const gap = (step: number) => left[left.indexOf(step) + 1]! - left[left.indexOf(step) - 1]!
    const next = inner.reduce((best, step) => gap(step) < gap(best) ? step : best)
    left.splice(left.indexOf(next), 1)
    gone.push(next)
  }
  return gone
}

/** Before a run goes on from `step`: removes leftovers of a killed writer and whatever lies after that step. For the only writer. */
export function rewindGains(runFolder: string, step: number): void {
  removeTemporaries(folderOf(runFolder), true)
  for (const later of gainSteps(runFolder)) if (later > step) rmSync(gainFile(runFolder, later), { force: true })
}
