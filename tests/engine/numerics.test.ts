import '../support/tensorflow'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { relative, trainDefaults } from '../support/rig'
import { openSafetensors } from '../../src/main/engine/io/safetensors'
import { crossEntropy } from '../../src/main/engine/nn/ops'
import { adamw, clipped, globalNorm, ratesAt } from '../../src/main/engine/optim/adamw'
import { tf, type Tensor } from '../../src/main/engine/tf'
import { learningRateAt } from '../../src/main/engine/train/schedule'
import { fileSource } from '../../src/main/store/files'

const reference = 'tests/fixtures/reference'
const json = (path: string): never => JSON.parse(readFileSync(`${reference}/${path}`, 'utf8')) as never
const numbers = (t: Tensor): Float32Array => t.dataSync() as Float32Array

describe('losses of torch', () => {
  it.each([['plain', 0], ['smooth', 0.1]] as const)('%s', async (name, smoothing) => {
    const file = await openSafetensors(fileSource(`${reference}/losses/losses.safetensors`))
    const read = async (n: string) => file.get(n)!.read()
    const [logits, labels, loss, gradient] = await Promise.all(['logits', 'labels', `${name}.loss`, `${name}.grad`].map(read))
    tf.tidy(() => {
      const target = tf.tensor1d(Int32Array.from(labels!), 'int32')
      const f = (x: Tensor) => crossEntropy(x, target, smoothing)
      const x = tf.tensor(logits!, [...file.get('logits')!.shape])
      expect(relative(numbers(f(x)), loss!)).toBeLessThan(1e-5)
      expect(relative(numbers(tf.grad(f as never)(x as never) as Tensor), gradient!)).toBeLessThan(1e-5)
    })
  })
})

describe.each(['adamw', 'adamw-clip'])('%s of torch', name => {
  it('gives the same values and moments after every step', async () => {
    const about = json(`${name}/case.json`) as { learningRates: number[]; betas: [number, number]; eps: number; weightDecay: number; decayed: string[]; maxNorm: number | null; gradientNorms: number[] }
    const file = await openSafetensors(fileSource(`${reference}/${name}/adamw.safetensors`))
    const parameters = [...file.keys()].filter(k => k.startsWith('start.')).map(k => k.slice(6)).sort()
    const flat = async (prefix: string) => tf.concat(await Promise.all(parameters.map(async p => tf.tensor1d(await file.get(`${prefix}.${p}`)!.read())))) as Tensor
    const mask = tf.concat(parameters.map(p => tf.fill([file.get(`start.${p}`)!.shape.reduce((a, b) => a * b, 1)], about.decayed.includes(p) ? 1 : 0))) as Tensor
    const options = trainDefaults({ beta1: about.betas[0], beta2: about.betas[1], epsilon: about.eps, weightDecay: about.weightDecay })
    let values = await flat('start'), m: Tensor = tf.zerosLike(values), v: Tensor = tf.zerosLike(values)
    for (const [i, rate] of about.learningRates.entries()) {
      const whole = await flat(`grad.${i + 1}`), norm = globalNorm([whole]), gradient = clipped(whole, norm, about.maxNorm)
      expect(relative(numbers(norm), [about.gradientNorms[i]!])).toBeLessThan(1e-5)
      ;({ values, m, v } = adamw(values, gradient, { m, v }, mask, ratesAt(i + 1, rate, options), options))
      expect(relative(numbers(values), numbers(await flat(`after.${i + 1}`))), `step ${i + 1}`).toBeLessThan(1e-5)
    }
    expect(relative(numbers(m), numbers(await flat('m')))).toBeLessThan(1e-5)
    expect(relative(numbers(v), numbers(await flat('v')))).toBeLessThan(1e-5)
  })
})

it('follows the published schedule', () => {
  const cases = json('schedule/schedule.json') as { epochs: number; warmupEpochs: number; learningRate: number; warmupRate: number; minRate: number; rates: number[] }[]
  for (const c of cases) {
    const train = trainDefaults({ epochs: c.epochs, warmupEpochs: c.warmupEpochs, warmupLearningRate: c.warmupRate, minLearningRate: c.minRate })
    const ours = Array.from({ length: c.epochs }, (_, epoch) => learningRateAt(epoch * 7, 7, train, c.learningRate))
    expect(relative(ours, c.rates.slice(0, c.epochs))).toBeLessThan(1e-9)
  }
})
