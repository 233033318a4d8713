import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { collectGarbage } from '../../src/main/worker/garbage'

const MB = 1e6

it.runIf(process.platform === 'linux')('of TensorFlow\'s libraries, what only loading reads does not stay resident', () => {
  const program = `
    require('@tensorflow/tfjs-node-gpu').add(1, 1).dataSync()
    const maps = require('node:fs').readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-)/m).filter(map => map.includes('libtensorflow'))
    console.log(maps.reduce((n, map) => n + 1024 * Number(/^Rss: +(\\d+)/m.exec(map)[1]), 0))`
  const shim = `const util = require('node:util'); util.isNullOrUndefined = x => x === null || x === undefined; util.isArray = Array.isArray;`
  const resident = Number(execFileSync(process.execPath, ['-e', shim + program], { encoding: 'utf8', env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } }).trim().split('\n').at(-1))
  expect(resident / MB).toBeGreaterThan(5)
  expect(resident / MB).toBeLessThan(150)
})

it('what nobody refers to any more is freed at once', async () => {
  let arrays: Float32Array[] | null = Array.from({ length: 20 }, () => new Float32Array(1e6).fill(1))
  const held = process.memoryUsage().arrayBuffers
  expect(arrays.every(array => array[0] === 1)).toBe(true)
  arrays = null
  collectGarbage()
  // V8 gives memory back on a thread of its own
  await expect.poll(() => (held - process.memoryUsage().arrayBuffers) / MB).toBeGreaterThan(70)
})
