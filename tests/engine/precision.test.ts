import '../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { parseRecipe } from '../../src/main/engine/recipe'
import { measureRates } from '../../src/main/engine/step/precision'
import { fasterPrecision } from '../../src/main/contract/rates'
import { tf } from '../../src/main/engine/tf'
import { withModelFolder } from '../../src/main/worker/jobs/modelFolder'

describe('the choice of a precision', () => {
  it('measures both on this machine and leaves nothing behind', () => {
    const before = tf.memory().numTensors, rates = measureRates(withModelFolder)
    expect(rates.float32).toBeGreaterThan(0.1)
    expect(rates.bfloat16).toBeGreaterThan(0.1)
    expect(tf.memory().numTensors).toBe(before)
  })
  it('takes bfloat16 where it is clearly faster', () => {
    expect(fasterPrecision({ float32: 300, bfloat16: 1200 })).toBe('bfloat16')
    expect(fasterPrecision({ float32: 300, bfloat16: 310 })).toBe('float32')
  })
  it('refuses bfloat16 with the eager step in one sentence', () => {
    const recipe = { backbone: { from: 'x' }, data: { from: 'x' }, method: { type: 'ssf' }, precision: 'bfloat16' }
    expect(() => parseRecipe({ ...recipe, step: 'eager' })).toThrow('bfloat16 needs the compiled step')
    expect(parseRecipe(recipe).recipe.precision).toBe('bfloat16')
  })
})
