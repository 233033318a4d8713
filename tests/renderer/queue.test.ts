import { expect, test } from 'vitest'
import { estimate } from '../../src/renderer/queue/estimate'
import { ordinal, placeWords, startWords } from '../../src/renderer/queue/words'
import { cards } from './fakeRuns'

const lane = { id: 'gpu0', device: 'RTX', paused: false, why: null, running: null, elsewhere: null, waiting: [] as string[] }

test('the start button says where the run goes and when', () => {
  expect(startWords(undefined)).toBe('Start run')
  expect(startWords(lane)).toBe('Start run on GPU 0')
  expect(startWords({ ...lane, running: 'a' })).toBe('Queue run, next on GPU 0')
  expect(startWords({ ...lane, id: 'cpu', running: 'a', waiting: ['b'] })).toBe('Queue run, 2nd on CPU')
  expect(startWords({ ...lane, paused: true })).toBe('Queue run, GPU 0 is paused')
  expect(startWords(lane, 12)).toBe('Queue 12 runs')
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal)).toEqual(['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '102nd', '111th'])
  expect(placeWords({ lane, position: 0 })).toBe('next on GPU 0')
  expect(placeWords({ lane: { ...lane, paused: true }, position: 2 })).toBe('3rd on GPU 0, which is paused')
})

test('a waiting run is estimated from finished runs like it', () => {
  const runs = cards()
  const waiting = { backbone: 'DINOv2-S/14', data: 'eurosat-1k', method: 'lora', san: false, epochs: 50, step: 0, steps: 0 }
  expect(estimate(waiting, runs)).toEqual({ seconds: 172, from: 1 })
  expect(estimate({ ...waiting, step: 50, steps: 100 }, runs)!.seconds).toBe(86)
  // No finished BitFit here: the median of all methods on this data and backbone, 312 s for 100 epochs.
  expect(estimate({ ...waiting, method: 'bitfit' }, runs)).toEqual({ seconds: expect.closeTo((312 + 344) / 4, 5), from: 6 })
  expect(estimate({ ...waiting, data: 'flowers' }, runs)).toBeNull()
})
