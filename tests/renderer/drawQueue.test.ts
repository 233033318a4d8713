import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.unstubAllGlobals())

test('new points are drawn in all charts at once within their share of the machine, and what is asked for is drawn at once', async () => {
  let now = 10_000
  const frames: (() => void)[] = []
  const frame = () => { for (const run of frames.splice(0)) run() }
  vi.stubGlobal('performance', { now: () => now })
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run))
  vi.stubGlobal('navigator', { hardwareConcurrency: 2 })
  const timers: (() => void)[] = []
  vi.stubGlobal('setTimeout', (run: () => void) => timers.push(run))
  vi.stubGlobal('clearTimeout', () => { timers.length = 0 })
  const { forgetDraw, requestDraw, requestUpdate } = await import('../../src/renderer/charts/drawQueue')
  const drawn: string[] = []
  const charts = ['a', 'b', 'c'].map(name => () => { drawn.push(name); now += 6 })
  const counts: number[] = []
  for (let second = 0; second < 8; second++) {
    now = 10_000 + second * 1000
    for (const draw of charts) requestUpdate(draw)
    frame()
    counts.push(drawn.length)
  }
  // 18 ms of 2 x 0.3 % are 3 s.
  expect(counts).toEqual([3, 3, 3, 6, 6, 6, 9, 9])
  now += 4000
  timers[0]?.()
  frame()
  expect(drawn.length).toBe(12)
  drawn.length = 0
  for (const draw of charts) requestDraw(draw)
  frame()
  frame()
  expect(drawn).toEqual(['a', 'b', 'c'])
  for (const draw of charts) { requestUpdate(draw); forgetDraw(draw) }
  now += 9000
  frame()
  expect(drawn).toEqual(['a', 'b', 'c'])
})
