import { describe, expect, it } from 'vitest'
import { createRig, plainPixels, relative, trainDefaults } from '../support/rig'
import { randomPixels, tinyShape } from '../support/tinyVit'
import { createCompiledStep } from '../../src/main/engine/step/compiled'
import { planKept } from '../../src/main/engine/step/kept'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'

const side = tinyShape.imageSize, pixels = randomPixels(3, side), labels = Int32Array.from([1, 4, 7]), indices = Int32Array.from([10, 3, 5])
const noise = randomPixels(3, side, 99), train = trainDefaults({ learningRate: 1e-3 }), roomy = 1e9

const cases = [
  { name: 'a linear probe', method: { type: 'linear-probe' }, stage: 'head' },
  { name: 'SSF with SAN in the last block', method: { type: 'ssf', sites: ['blocks.1.*'], san: {} }, stage: 'blocks.1' },
]

describe.each(cases)('what $name keeps', ({ method, stage }) => {
  it('is computed once for each image and changes no result', async () => {
    const [one, two] = [await createRig(method), await createRig(method)]
    const plan = planKept(two.model, two.tuning, train, 3, roomy)!
    expect(plan.stage).toBe(stage)
    const options = { seed: 3, precision: 'float32' as const, from: plan.from, train, ...plainPixels }
    const eager = one.step({ learningRate: 1e-3 }), kept = createCompiledStep(two.model, two.tuning, two.start, options, { train: [3], predict: [3] }, withModelFolder)
    const losses = { eager: [] as number[], kept: [] as number[] }
    for (let i = 0; i < 3; i++) {
      losses.eager.push((await eager.train([{ pixels, labels, indices }], i, 1e-3)).loss)
      // from the second time on the pixels are not looked at
      losses.kept.push((await kept.train([{ pixels: i === 0 ? pixels : noise, labels, indices }], i, 1e-3)).loss)
    }
    expect(relative(losses.kept, losses.eager)).toBeLessThan(1e-5)
    const expected = await eager.predict(pixels, 3)
    expect(relative(await kept.predict(noise, 3, indices), expected)).toBeLessThan(1e-4)
    expect(relative(await kept.predict(pixels, 3, Int32Array.from([10, 3, 6])), expected)).toBeLessThan(1e-4)
    expect(relative(await kept.predict(noise, 3), expected)).toBeGreaterThan(1e-3)
    eager.dispose()
    kept.dispose()
  })
})

describe('nothing is kept', () => {
  const planFor = async (method: Record<string, unknown>, more: Record<string, unknown> = {}, budget = roomy) => {
    const rig = await createRig(method)
    return planKept(rig.model, rig.tuning, trainDefaults(more), 100, budget)
  }
  it.each([{ augment: 'flip' }, { dropout: 0.1 }, { dropPath: 0.1 }])('where the pass is random: %o', async more => expect(await planFor({ type: 'linear-probe' }, more)).toBeNull())
  it('where the first stage is trained', async () => expect(await planFor({ type: 'ssf' })).toBeNull())
  it('where there is no room', async () => expect(await planFor({ type: 'linear-probe' }, {}, 100)).toBeNull())
})
