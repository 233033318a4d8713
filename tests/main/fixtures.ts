import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Recipe } from '../../src/main/contract/recipe'
import type { RunManifest, TrainEvent } from '../../src/main/contract/run'
import { openWorkspace, type Workspace } from '../../src/main/store/paths'

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'engram-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const temporaryWorkspace = (): Workspace => openWorkspace(temporaryFolder())

export const draftOf = (name = 'digits ssf'): Omit<RunManifest, 'id' | 'createdAt' | 'format'> => ({
  recipe: Recipe.parse({ name, backbone: { from: 'fashion-vit' }, data: { from: 'digits' }, method: { type: 'ssf' } }),
  resolved: { backbonePath: '/b', backboneHash: 'h', dataPath: '/d', dataHash: 'h', classes: ['0', '1'], trainable: 10, learningRate: 0.01 },
  versions: { engram: '0.1.0' },
})

export const started = (step = 0, steps = 100): TrainEvent =>
  ({ event: 'started', run: 'r', folder: '/r', step, steps, stepsPerEpoch: 10, epochs: 10, device: 'CPU', pid: process.pid })
export const stepAt = (step: number, loss = 1 / (step + 1)): TrainEvent =>
  ({ event: 'step', step, epoch: step / 10, loss, accuracy: 0.5, learningRate: 0.1, gradientNorm: 1, imagesPerSecond: 20, memory: 1000 })
export const evaluatedAt = (step: number, accuracy: number, best: boolean): TrainEvent =>
  ({ event: 'evaluated', step, epoch: step / 10, split: 'validation', metrics: { 'validation/accuracy': accuracy, 'validation/loss': 1 - accuracy }, best })
export const ending = (event: 'finished' | 'stopped', step: number): TrainEvent =>
  ({ event, run: 'r', step, metrics: { 'test/accuracy': 0.9 }, seconds: 3, imagesPerSecond: 30, peakMemory: 2000 })
