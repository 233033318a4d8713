import { expect, test } from 'vitest'
import { nearestIndex, smooth, visiblePoints } from '../../src/renderer/charts/series'
import { linearTicks, logRange, logTicks, niceRange } from '../../src/renderer/charts/ticks'
import { shownEnd } from '../../src/renderer/run/chartModels'

test('smoothing does not pull the first values to zero', () => {
  expect([...smooth([2, 2, 2], 3, 0.9)].map(value => Number(value.toFixed(9)))).toEqual([2, 2, 2])
  expect(smooth([1, 3], 2, 0.5)[1]).toBeCloseTo(7 / 3)
})

test('a long history keeps its spike', () => {
  const x = Float64Array.from({ length: 50_000 }, (_, i) => i)
  const y = new Float64Array(50_000)
  y[31_337] = 9
  const points = visiblePoints(x, y, 50_000, 0, 50_000, 400)
  expect(points.length).toBeLessThan(1800)
  expect(points[points.indexOf(31_337) + 1]).toBe(9)
})

test('a zoomed view has one point to either side', () => {
  const x = [0, 1, 2, 3, 4, 5]
  expect([...visiblePoints(x, x, 6, 2, 3, 100)]).toEqual([1, 1, 2, 2, 3, 3])
  expect(nearestIndex(x, 6, 2.6)).toBe(3)
  expect(nearestIndex(x, 0, 1)).toBe(-1)
})

test('ticks are round and few', () => {
  expect(linearTicks(0, 2500, true)).toEqual([0, 500, 1000, 1500, 2000, 2500])
  expect(niceRange(0.412, 0.979, false)).toEqual([0.4, 1])
  const [low, high] = logRange(0.09, 2.4)
  expect(logTicks(low, high).map(value => Number((10 ** value).toPrecision(3)))).toEqual([0.1, 0.2, 0.5, 1, 2])
  for (const tick of logTicks(low, high)) expect(tick >= low && tick <= high).toBe(true)
})

test('the axis of a run ends where it is planned to end, near enough that its beginning can be read, and where it ended', () => {
  expect(shownEnd(0, 6000, true)).toBe(6000)
  expect(shownEnd(2000, 6000, true)).toBe(6000)
  expect(shownEnd(100, 6000, true)).toBe(375)
  expect(shownEnd(100, 6000, false)).toBe(100)
})
