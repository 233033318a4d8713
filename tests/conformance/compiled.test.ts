import { describe, expect, it } from 'vitest'
import { createRig, plainPixels, relative, trainDefaults } from '../support/rig'
import { randomPixels, tinyShape } from '../support/tinyVit'
import { methods } from '../../src/main/engine/methods/index'
import { createCompiledStep } from '../../src/main/engine/step/compiled'
import type { Step, StepState, Vector } from '../../src/main/engine/step/step'
import type { Slot } from '../../src/main/engine/tuning'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'
import { tf } from '../../src/main/engine/tf'

const side = tinyShape.imageSize, pixels = randomPixels(4, side), labels = Int32Array.from([1, 4, 7, 2])
const batch = (from: number, to: number) => ({ pixels: pixels.slice(from * side * side * 3, to * side * side * 3), labels: labels.slice(from, to), indices: labels.slice(from, to) })
/** a whole step, an accumulated one, and one whose last batch is smaller */
const plans = [[batch(0, 3)], [batch(0, 3), batch(1, 4)], [batch(0, 3), batch(3, 4)]]
const train = { learningRate: 1e-3, dropPath: 0.2, dropout: 0.1, labelSmoothing: 0.1, clipNorm: 1, accumulate: 2 }

const variants = methods.flatMap(m => [
  { name: m.id, method: { type: m.id } as Record<string, unknown> & { type: string } },
  ...('never' in m.san ? [] : [
    { name: `${m.id} + SAN`, method: { type: m.id, san: { lambda: 0.001 } } },
    { name: `${m.id} + SAN measured`, method: { type: m.id, san: { gamma: 'ema', preset: 'paper-functional' } } },
  ]),
])

/** everything fused, however small, and trained tensors of both kinds: in one vector, and alone */
const limits = { fuse: 1, alone: 100, round: 1 }

async function pair(method: Record<string, unknown> & { type: string }, precision: 'float32' | 'bfloat16'): Promise<{ eager: Step; compiled: Step; slots: readonly Slot[] }> {
  const [one, two] = [await createRig(method), await createRig(method)]
  const options = { seed: 3, precision, from: 0, train: trainDefaults(train), ...plainPixels }
  return { slots: two.tuning.slots, eager: one.step(train), compiled: createCompiledStep(two.model, two.tuning, two.start, options, { train: [3, 1], predict: [3] }, withModelFolder, limits) }
}
const run = async (step: Step, from: number, to: number) => {
  const results = []
  for (let i = from; i < to; i++) results.push(await step.train(plans[i % plans.length]!, i, 1e-3))
  return results
}

/** Tensor by tensor a step gives what it gives in one piece. */
function expectReads(step: Step, slots: readonly Slot[], { values, m, v, buffers }: StepState): void {
  for (const [vector, whole] of Object.entries({ values, m, v }) as [Vector, Float32Array][]) {
    const read = step.reader(vector)
    expect(slots.map(slot => [...read(slot.name)]).flat(), vector).toEqual([...whole])
  }
  expect(step.averages()).toEqual(buffers)
}

describe.each(variants)('the compiled step of $name', ({ method }) => {
  it('does what the eager one does, goes on from a saved state, and leaks nothing', async () => {
    const { eager, compiled, slots } = await pair(method, 'float32')
    await run(compiled, 0, 1)
    const tensors = tf.memory().numTensors
    await run(compiled, 1, 9)
    expect(tf.memory().numTensors).toBe(tensors)
    const expected = await run(eager, 0, 9)
    const logits = await eager.predict(batch(0, 3).pixels, 3)
    expect(relative(await compiled.predict(batch(0, 3).pixels, 3), logits)).toBeLessThan(1e-4)

    const saved = await compiled.state()
    expectReads(compiled, slots, saved)
    expectReads(eager, slots, await eager.state())
    const next = await run(compiled, 9, 11)
    compiled.restore(saved)
    expect(await run(compiled, 9, 11)).toEqual(next)
    const eagerNext = await run(eager, 9, 11)
    for (const key of ['loss', 'gradientNorm', 'correct'] as const) expect(relative(next.map(r => r[key]), eagerNext.map(r => r[key])), key).toBeLessThan(1e-3)
    expect(expected.every(r => Number.isFinite(r.loss))).toBe(true)
    eager.dispose()
    compiled.dispose()
  })

  it('stays near it in bfloat16', async () => {
    const { eager, compiled } = await pair(method, 'bfloat16')
    const expected = await run(eager, 0, 6), rounded = await run(compiled, 0, 6)
    expect(relative(rounded.map(r => r.loss), expected.map(r => r.loss))).toBeLessThan(0.03)
    expect(relative(rounded.map(r => r.gradientNorm), expected.map(r => r.gradientNorm))).toBeLessThan(0.15)
    expect(relative(await compiled.predict(batch(0, 3).pixels, 3), await eager.predict(batch(0, 3).pixels, 3))).toBeLessThan(0.1)
    eager.dispose()
    compiled.dispose()
  })
})
