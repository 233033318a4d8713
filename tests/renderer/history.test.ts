import type { RunEvent } from '@contract/run'
import { expect, test } from 'vitest'
import { RunHistory } from '../../src/renderer/history/runHistory'
import { learningRateAt } from '../../src/renderer/run/schedule'
import { bestEvaluation, timeLeft } from '../../src/renderer/run/pace'
import { learningRateAt as trained } from '../../src/main/engine/train/schedule'
import { Recipe } from '../../src/main/contract/recipe'

let seq = 0
const started = (step: number, time: number): RunEvent => ({ seq: seq++, time, event: 'started', run: 'r-1', folder: '', step, steps: 100, stepsPerEpoch: 10, epochs: 10, device: 'CPU', pid: 1 })
const stepped = (step: number, time: number): RunEvent => ({ seq: seq++, time, event: 'step', step, epoch: step / 10, loss: 1 / step, accuracy: 0.5, learningRate: 1, gradientNorm: 1, imagesPerSecond: 10, memory: 1 })
const evaluated = (step: number, time: number, accuracy: number): RunEvent => ({ seq: seq++, time, event: 'evaluated', step, epoch: 1, split: 'validation', metrics: { 'validation/accuracy': accuracy }, best: true })

test('a resume drops the steps after it and does not count the time between', () => {
  const history = new RunHistory()
  history.push(started(0, 500))
  for (let step = 1; step <= 20; step++) history.push(stepped(step, 500 + step * 1000))
  history.push(evaluated(20, 20_500, 0.9))
  history.push(started(10, 3_600_000))
  history.push(stepped(11, 3_601_000))
  expect(history.stepCount).toBe(11)
  expect(history.step).toBe(11)
  expect(history.evaluations).toEqual([])
  expect(history.seconds).toBe(11)
  expect(timeLeft(history)).toBe(89)
  expect(bestEvaluation(history)).toBeNull()
})

test('an event that was seen is not counted twice', () => {
  const history = new RunHistory()
  const event = stepped(1, 10)
  history.push(event)
  history.push(event)
  expect(history.stepCount).toBe(1)
})

test('checkpoints that were pruned leave, and only one is the best', () => {
  const history = new RunHistory()
  const saved = (step: number, best: boolean, removed: number[]): RunEvent => ({ seq: seq++, time: 0, event: 'checkpoint', step, path: '', best, sizeBytes: 1, removed })
  for (const event of [saved(1, true, []), saved(2, false, []), saved(3, true, [2])]) history.push(event)
  expect(history.checkpoints.map(({ step, best }) => [step, best])).toEqual([[1, false], [3, true]])
})

test('the planned learning rate is the trained one', () => {
  const { train } = Recipe.parse({ backbone: { from: 'a' }, data: { from: 'b' }, method: { type: 'ssf' }, train: { epochs: 7, warmupEpochs: 2 } })
  for (const step of [0, 5, 13, 20, 69]) expect(learningRateAt(step, train, 0.01, { stepsPerEpoch: 10 })).toBeCloseTo(trained(step, 10, train, 0.01), 12)
})
