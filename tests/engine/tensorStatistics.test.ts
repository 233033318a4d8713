import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openModel } from '../../src/main/engine/io/model'
import { tensorCard } from '../../src/main/engine/tensorStatistics'
import { diskFiles } from '../../src/main/store/files'

const stored = (values: number[]) => ({ name: 't', dtype: 'F32', shape: [values.length], read: async ([from, to]: readonly [number, number] = [0, values.length]) => Float32Array.from(values.slice(from, to)) })

describe('the statistics of a tensor', () => {
  it('are those of its numbers', async () => {
    expect(await tensorCard(stored([0, 0, 3, -1]))).toEqual({ name: 't', dtype: 'F32', shape: [4], mean: 0.5, std: 1.5, min: -1, max: 3, zeros: 0.5, notFinite: 0 })
  })

  it('keep their digits where the mean is large, and in a tensor of several parts', async () => {
    const { mean, std } = await tensorCard(stored(Array.from({ length: 3_000_001 }, (_, i) => 4096 + i % 2)))
    expect(mean).toBeCloseTo(4096.5, 5)
    expect(std).toBeCloseTo(0.5, 5)
  })

  it('leave out what is not finite, and say how much that is', async () => {
    expect(await tensorCard(stored([NaN, 2, Infinity]))).toMatchObject({ mean: 2, std: 0, min: 2, max: 2, notFinite: 2 })
    expect(await tensorCard(stored([NaN]))).toMatchObject({ mean: null, std: null, min: null, max: null, zeros: 0, notFinite: 1 })
    expect(await tensorCard(stored([]))).toMatchObject({ mean: null, zeros: 0, notFinite: 0 })
  })

  it('are read from every tensor of a model in half precision', async () => {
    const model = await openModel(await diskFiles(resolve('tests/fixtures/reference/storage-bf16/model')))
    for (const tensor of model.stored.values()) {
      const card = await tensorCard(tensor), all = await tensor.read()
      expect(card).toMatchObject({ dtype: 'BF16', min: Math.min(...all), max: Math.max(...all), notFinite: 0 })
      expect(card.mean).toBeCloseTo(all.reduce((a, b) => a + b, 0) / all.length, 5)
    }
  })
})
