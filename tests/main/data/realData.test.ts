import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evalBatches, trainBatches } from '../../../src/main/engine/data/batches'
import { makeSplits } from '../../../src/main/engine/data/split'
import { describeDataset } from '../../../src/main/store/data/describe'
import { openDataset } from '../../../src/main/store/data/open'
import { prepareData } from '../../../src/main/store/data/prepare'
import { viewOf } from '../../../src/main/store/data/view'
import { choice, scratch, view } from './support/index'

const digits = resolve('resources/samples/data/digits')
const eurosat = '/work/shared/data/eurosat-1k.zip'
const fashion = '/usr/share/datasets/fashion-mnist'

describe('real data', () => {
  it('digits, which come with Engram', async () => {
    const card = await describeDataset(digits, scratch())
    expect(card).toMatchObject({ kind: 'idx', name: 'digits', classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], splits: { train: 1000, test: 2000 } })
    expect(card.counts).toEqual({ train: Array(10).fill(100), test: Array(10).fill(200) })
  })

  it('digits can be told apart by their nearest mean', async () => {
    const source = await openDataset(digits)
    const data = await prepareData(source, makeSplits(source, choice), view, { cacheDir: scratch(), limitBytes: 1e9, augment: 'none' })
    const bytes = 16 * 16 * 3
    const means = Array.from({ length: 10 }, () => new Float64Array(bytes))
    for await (const { pixels, labels } of trainBatches(data.train, { batchSize: 32, seed: 0, epoch: 0, augment: 'none' })) {
      labels.forEach((label, i) => { for (let k = 0; k < bytes; k++) means[label]![k]! += pixels[i * bytes + k]! / 75 })
    }
    let right = 0
    for await (const { pixels, labels } of evalBatches(data.test, 100)) {
      labels.forEach((label, i) => {
        const distances = means.map(mean => mean.reduce((sum, m, k) => sum + (m - pixels[i * bytes + k]!) ** 2, 0))
        if (distances.indexOf(Math.min(...distances)) === label) right++
      })
    }
    expect(right / 2000).toBeGreaterThan(0.75)
    await data.close()
    await source.close()
  })

  it.skipIf(!existsSync(eurosat))('EuroSAT from a zip', async () => {
    const source = await openDataset(eurosat)
    expect(source).toMatchObject({ kind: 'zip', name: 'eurosat-1k' })
    expect(source.classes).toEqual(['AnnualCrop', 'Forest', 'HerbaceousVegetation', 'Highway', 'Industrial', 'Pasture', 'PermanentCrop', 'Residential', 'River', 'SeaLake'])
    const splits = makeSplits(source, { split: { validation: 200, test: 0, seed: 0 }, limit: 1000 })
    expect([splits.train.length, splits.validation.length, splits.test.length]).toEqual([800, 200, 2000])
    const data = await prepareData(source, splits, viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, 64), { cacheDir: scratch(), limitBytes: 1e9, augment: 'crop+flip' })
    expect(data.broken).toEqual([])
    const batches = []
    for await (const batch of trainBatches(data.train, { batchSize: 64, seed: 1, epoch: 0, augment: 'crop+flip' })) batches.push(batch.labels.length)
    expect(batches).toEqual([...Array(12).fill(64), 32])
    await data.close()
    await source.close()
  })

  it.skipIf(!existsSync(fashion))('Fashion-MNIST, 70,000 images, in seconds', async () => {
    const source = await openDataset(fashion)
    expect(source.samples).toHaveLength(70_000)
    const started = performance.now()
    const data = await prepareData(source, makeSplits(source, { ...choice, split: { ...choice.split, validation: 0 } }), { ...view, imageSize: 28 }, { cacheDir: scratch(), limitBytes: 1e9 })
    expect([data.train.size, data.test.size]).toEqual([60_000, 10_000])
    expect(performance.now() - started).toBeLessThan(30_000)
    await data.close()
    await source.close()
  })
})
