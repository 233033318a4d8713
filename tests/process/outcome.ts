import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { checkpointsFolder, findCheckpoint } from '../../src/main/store/checkpoints'
import { readEvents } from '../../src/main/store/eventLog'
import { gainFile, gainSteps } from '../../src/main/store/gains'

/** What a finished run has come to, wherever it was interrupted on its way. */
export interface Outcome { weights: string; accuracy: number; gains: string }

export function outcomeOf(folder: string): Outcome {
  const last = readEvents(folder).at(-1)!
  if (last.event !== 'finished') throw new Error(`the run has not finished but ${last.event}`)
  return { weights: weightsOf(folder), accuracy: last.metrics['test/accuracy']!, gains: gainsOf(folder) }
}

/** No event is missing or told twice, and no half-written file is left. */
export function expectClean(folder: string): void {
  const seqs = readEvents(folder).map(({ seq }) => seq)
  expect(seqs).toEqual(seqs.map((_, index) => index))
  for (const place of [folder, checkpointsFolder(folder), join(folder, 'gains'), join(folder, 'evaluations')]) expect(readdirSync(place).filter(name => name.startsWith('.'))).toEqual([])
}

/** Every tensor of the last checkpoint, the optimiser's too. */
function weightsOf(folder: string): string {
  const { folder: checkpoint, state } = findCheckpoint(folder, 'last')
  const hash = createHash('sha256')
  for (const name of Object.keys(state.files).sort()) hash.update(name).update(readFileSync(join(checkpoint, name)))
  return hash.digest('hex')
}

/** The recorded steps' first and last, and the bytes of the last record. */
function gainsOf(folder: string): string {
  const steps = gainSteps(folder)
  return [steps[0], steps.at(-1), createHash('sha256').update(readFileSync(gainFile(folder, steps.at(-1)!))).digest('hex')].join(' ')
}
