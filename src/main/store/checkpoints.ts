import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import type { CheckpointCard, CheckpointChoice } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import { Metrics } from '../contract/run'
import { buildFolder, removeAtomic, removeTemporaries, writeDurable } from './atomic'
import { changePin, readLabels } from './labels'

/** state.json: what a checkpoint is, beside its tensors. */
const CheckpointState = z.object({
  format: z.literal(1), step: z.int().min(0), epoch: z.number(), savedAt: z.number(), metrics: Metrics,
  best: z.boolean().describe('the best of its run when it was saved'),
  asked: z.boolean().default(false).describe('saved because a person asked: pinned, until let go'),
  files: z.record(z.string(), z.int()).describe('bytes of each tensor file'),
  trainer: z.record(z.string(), z.unknown()).describe('what else the trainer needs to go on: random state, position in the data, schedule'),
})
export type CheckpointState = z.infer<typeof CheckpointState>
export interface Checkpoint { folder: string; state: CheckpointState }

export interface CheckpointContent {
  step: number
  epoch: number
  /** Tensor files by name, such as `adapter.safetensors`, each in chunks. */
  files: Readonly<Record<string, Iterable<Uint8Array>>>
  metrics: Readonly<Record<string, number>>
  best: boolean
  asked?: boolean
  trainer?: Readonly<Record<string, unknown>>
}

/** What was trained, in a checkpoint's folder. */
export const WEIGHTS = 'trained.safetensors'
const STEP_FOLDER = /^step-(\d{6,})$/

export const checkpointsFolder = (runFolder: string): string => join(runFolder, 'checkpoints')
export const checkpointFolder = (runFolder: string, step: number): string =>
  join(checkpointsFolder(runFolder), `step-${String(step).padStart(6, '0')}`)

/** Saves a checkpoint in one step: whoever looks, at any moment, finds it whole or not at all. */
export function saveCheckpoint(runFolder: string, content: CheckpointContent): Checkpoint & { sizeBytes: number } {
  const folder = checkpointFolder(runFolder, content.step)
  const names = Object.keys(content.files)
  const bad = names.find(name => basename(name) !== name || name === 'state.json' || name.startsWith('.'))
  if (bad !== undefined) throw new Error(`"${bad}" cannot be a file of a checkpoint`)
  const state: CheckpointState = {
    format: 1, step: content.step, epoch: content.epoch, savedAt: Date.now(), metrics: { ...content.metrics },
    best: content.best, asked: content.asked ?? false, files: {}, trainer: { ...content.trainer },
  }
  buildFolder(folder, temporary => {
    for (const name of names) state.files[name] = writeDurable(join(temporary, name), content.files[name]!)
    writeDurable(join(temporary, 'state.json'), `${JSON.stringify(state, null, 2)}\n`)
  })
  return { folder, state, sizeBytes: totalBytes(state) }
}

/** Whole checkpoints by rising step; a folder whose state cannot be read or whose files have another size is left out. */
export function listCheckpoints(runFolder: string): Checkpoint[] {
  return checkpointSteps(runFolder).map(step => readCheckpoint(checkpointFolder(runFolder, step))).filter(found => found !== null)
}

/** The steps that have a folder, by rising step, without opening any. */
export const checkpointSteps = (runFolder: string): number[] => stepsIn(checkpointsFolder(runFolder), STEP_FOLDER)

/** The numbers that a folder's names hold in the pattern's first group, rising; none where there is no folder. */
export function stepsIn(folder: string, pattern: RegExp): number[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).map(name => pattern.exec(name)?.[1]).filter(step => step !== undefined).map(Number).sort((a, b) => a - b)
}

export function readCheckpoint(folder: string): Checkpoint | null {
  try {
    const state = CheckpointState.parse(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')))
    const whole = Object.entries(state.files).every(([name, bytes]) => statSync(join(folder, name)).size === bytes)
    return whole ? { folder, state } : null
  } catch {
    return null
  }
}

/** The newest that was best when it was saved; a run without validation has no best, so its last stands in. */
export const bestOf = (all: readonly Checkpoint[]): Checkpoint | undefined => all.findLast(({ state }) => state.best) ?? all.at(-1)

/** The checkpoint that "best", "last" or a step names. */
export function findCheckpoint(runFolder: string, choice: CheckpointChoice): Checkpoint {
  const all = listCheckpoints(runFolder)
  const found = choice === 'best' ? bestOf(all) : choice === 'last' ? all.at(-1) : all.find(({ state }) => state.step === choice)
  if (found) return found
  const run = basename(runFolder)
  if (all.length === 0) throw new AppError('not-found', `Run ${run} has no checkpoint yet. Train it until its first save, then try again.`)
  const steps = all.map(({ state }) => state.step).join(', ')
  throw new AppError('not-found', `Run ${run} has no checkpoint at step ${choice}; it has ${steps}.`, { field: 'checkpoint' })
}

export function checkpointCards(runFolder: string): CheckpointCard[] {
  const all = listCheckpoints(runFolder)
  const best = bestOf(all), { pins } = readLabels(runFolder)
  return all.map(one => ({
    run: basename(runFolder), step: one.state.step, epoch: one.state.epoch, path: one.folder, sizeBytes: totalBytes(one.state),
    savedAt: one.state.savedAt, best: one === best, last: one === all.at(-1), pinned: isPinned(one, pins), metrics: one.state.metrics,
  }))
}

const isPinned = ({ state }: Checkpoint, pins: Readonly<Record<string, boolean>>): boolean => pins[String(state.step)] ?? state.asked

/** Keeps the best, the last, pinned ones and the newest `keep` of the others; returns the steps it removed. */
export function pruneCheckpoints(runFolder: string, keep: number): number[] {
  const all = listCheckpoints(runFolder)
  const best = bestOf(all), { pins } = readLabels(runFolder)
  const others = all.slice(0, -1).filter(one => one !== best && !isPinned(one, pins))
  const leaving = others.slice(0, Math.max(0, others.length - keep))
  for (const one of leaving) removeAtomic(one.folder)
  return leaving.map(({ state }) => state.step)
}

export function pinCheckpoint(runFolder: string, step: number, pinned: boolean): void {
  changePin(runFolder, findCheckpoint(runFolder, step).state.step, pinned)
}

/** What a removal that was killed left behind, of a run that nobody trains. */
export const clearLeftovers = (runFolder: string): void => removeTemporaries(checkpointsFolder(runFolder))

/** For runs that nobody trains. */
export function removeCheckpoint(runFolder: string, step: number): void {
  clearLeftovers(runFolder)
  removeAtomic(findCheckpoint(runFolder, step).folder)
  changePin(runFolder, step, null)
}

/** Before a run goes on from `step`: removes leftovers of a killed writer and whatever lies after that step. For the only writer. */
export function rewindCheckpoints(runFolder: string, step: number): void {
  removeTemporaries(checkpointsFolder(runFolder), true)
  for (const later of checkpointSteps(runFolder)) if (later > step) removeAtomic(checkpointFolder(runFolder, later))
}

const totalBytes = (state: CheckpointState) => Object.values(state.files).reduce((sum, bytes) => sum + bytes, 0)
