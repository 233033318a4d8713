// Synthetic runs written by the real store: every run its folder, recipe and events, as a trainer would leave them.
import { Recipe, type RecipeInput } from '../../src/main/contract/recipe'
import type { RunManifest } from '../../src/main/contract/run'
import { openEventLog } from '../../src/main/store/eventLog'
import type { Workspace } from '../../src/main/store/paths'
import { lockRun } from '../../src/main/store/runFolder'
import { openRunStore } from '../../src/main/store/runStore'

const backbones = ['DINOv2-S/14', 'ViT-B/16', 'DeiT-S/16', 'fashion-vit']
const datasets = ['eurosat-1k', 'vtab-cifar', 'flowers', 'pets', 'dtd']
const methods = [{ type: 'ssf' }, { type: 'ssf', san: {} }, { type: 'lora', rank: 8 }, { type: 'lora', rank: 8, san: {} }, { type: 'dora', rank: 8 }, { type: 'linear-probe' }, { type: 'full' }]
const rates = [0.001, 0.002, 0.005, 0.01]
const epochs = 10

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length]!

type Draft = Omit<RunManifest, 'id' | 'createdAt' | 'format'>

function draft(index: number): Draft {
  const method = pick(methods, index)
  const [backbone, data, learningRate] = [pick(backbones, index >> 3), pick(datasets, index >> 5), pick(rates, index >> 7)]
  const name = `${data} ${method.type}${'san' in method ? ' san' : ''} ${backbone} ${index}`
  return draftOf({ name, seed: index % 5, backbone: { from: backbone }, data: { from: data }, method, train: { epochs, learningRate } }, 3850 + index % 7 * 50_000)
}

function draftOf(input: RecipeInput, trainable: number): Draft {
  const recipe = Recipe.parse(input)
  return {
    recipe, versions: { engram: '0.1.0' },
    resolved: { backbonePath: `/models/${recipe.backbone.from}`, backboneHash: 'b'.repeat(64), dataPath: `/data/${recipe.data.from}`, dataHash: 'd'.repeat(64), classes: ['a', 'b'], trainable, learningRate: recipe.train.learningRate ?? 0.005 },
  }
}

function writeEvents(folder: string, run: string, index: number, points: number): void {
  const log = openEventLog(folder)
  const top = 0.7 + (index * 7919 % 250) / 1000
  const accuracy = (step: number) => top * (1 - Math.exp(-6 * step / points))
  log.append({ event: 'started', run, folder, step: 0, steps: points, stepsPerEpoch: points / epochs, epochs, device: 'CPU', pid: process.pid })
  for (let step = 1; step <= points; step++) {
    log.append({ event: 'step', step, epoch: step / points * epochs, loss: 2.3 - 2.1 * accuracy(step), accuracy: accuracy(step), learningRate: 0.005, gradientNorm: 1.2, imagesPerSecond: 300, memory: 3_100_000_000 })
    const metrics = { 'validation/accuracy': accuracy(step), 'validation/loss': 1 - accuracy(step) }
    if (step % (points / epochs) === 0) log.append({ event: 'evaluated', step, epoch: step / points * epochs, split: 'validation', metrics, best: true })
  }
  const ending = { run, step: points, metrics: { 'test/accuracy': top - 0.005 }, seconds: 312, imagesPerSecond: 300, peakMemory: 3_100_000_000 }
  if (index % 50 === 7) log.append({ event: 'stopped', ...ending })
  else if (index % 50 === 8) log.append({ event: 'failed', ...ending, error: { code: 'out-of-memory', message: 'Out of memory on GPU 0.' } })
  else log.append({ event: 'finished', ...ending })
  log.close()
}

/** A run under way with some history, at a pace, until it is stopped. */
export function playRun(workspace: Workspace, stepsASecond: number): { stop(): void } {
  const [steps, history, stepsPerEpoch] = [20_000, 2000, 100]
  const store = openRunStore(workspace)
  const { folder, manifest } = store.create(draftOf({ name: 'live', backbone: { from: 'fashion-vit' }, data: { from: 'digits' }, method: { type: 'ssf', san: {} }, train: { epochs: steps / stepsPerEpoch } }, 3850))
  const run = manifest.id
  store.close()
  const lock = lockRun(folder, run)
  const log = openEventLog(folder)
  log.append({ event: 'phase', phase: 'prepare', done: null, total: null, message: '' })
  log.append({ event: 'started', run, folder, step: 0, steps, stepsPerEpoch, epochs: steps / stepsPerEpoch, device: 'CPU', pid: process.pid })
  let step = 0
  const next = () => {
    step++
    const [loss, noise] = [0.2 + 2 * Math.exp(-step / 1000), 0.2 * Math.sin(step * 12.9898)]
    log.append({ event: 'step', step, epoch: step / stepsPerEpoch, loss: loss * (1 + noise), accuracy: 1 - loss / 2.5 * (1 + noise), learningRate: 0.005, gradientNorm: 1.2 + noise, imagesPerSecond: 300 * (1 + noise), memory: 3_100_000_000 + step })
  }
  while (step < history) next()
  const timer = setInterval(next, 1000 / stepsASecond)
  return {
    stop() {
      clearInterval(timer)
      log.append({ event: 'stopped', run, step, metrics: {}, seconds: step / stepsASecond, imagesPerSecond: 300, peakMemory: 3_100_000_000 })
      log.close()
      lock.release()
    },
  }
}

/** Finished runs of the given recipes. */
export function writeRecipes(workspace: Workspace, recipes: readonly RecipeInput[], points: number): void {
  const store = openRunStore(workspace)
  for (const [index, recipe] of recipes.entries()) {
    const { folder, manifest } = store.create(draftOf(recipe, 3850))
    writeEvents(folder, manifest.id, index * 100, points)
  }
  store.close()
}

export function writeRuns(workspace: Workspace, count: number, points: number): void {
  const store = openRunStore(workspace)
  for (let index = 0; index < count; index++) {
    const { folder, manifest } = store.create(draft(index))
    writeEvents(folder, manifest.id, index, points)
  }
  store.close()
}
