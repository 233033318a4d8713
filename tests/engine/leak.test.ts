import { describe, expect, it } from 'vitest'
import { createRig, plainPixels, trainDefaults } from '../support/rig'
import { randomPixels, tinyShape } from '../support/tinyVit'
import { createCompiledStep } from '../../src/main/engine/step/compiled'
import type { Step } from '../../src/main/engine/step/step'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'
import { tf } from '../../src/main/engine/tf'

const side = tinyShape.imageSize, labels = Int32Array.from([1, 4, 7]), pixels = randomPixels(3, side)
const train = { dropPath: 0.1, dropout: 0.1, accumulate: 2, clipNorm: 1 }
const batch = { pixels, labels, indices: labels }

async function steps(step: Step, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await step.train([batch, batch], i, 1e-4)
}

describe('a thousand steps', () => {
  it.each([{ type: 'ssf', san: {} }, { type: 'lora', san: {} }])('of $type with SAN leave tensors and memory as they were', async method => {
    const rig = await createRig(method)
    const step = createCompiledStep(rig.model, rig.tuning, rig.start, { seed: 3, precision: 'float32', from: 0, train: trainDefaults(train), ...plainPixels }, { train: [3], predict: [] }, withModelFolder)
    await steps(step, 200)
    const tensors = tf.memory().numTensors, before = process.memoryUsage().rss
    await steps(step, 1000)
    expect(tf.memory().numTensors).toBe(tensors)
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(30)
    step.dispose()
  })
})
