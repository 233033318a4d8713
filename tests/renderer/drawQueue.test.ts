import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.unstubAllGlobals())

test('new points are drawn one chart after the other within their share of the machine, and what is asked for is drawn at once', async () => {
  let now = 10_000
  const frames: (() => void)[] = []
  const frame = () => { for (const run of frames.splice(0)) run() }
  vi.stubGlobal('performance', { now: () => now })
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run))
  vi.stubGlobal('navigator', { hardwareConcurrency: 2 })
  vi.stubGlobal('setTimeout', () => 0)
  const { forgetDraw, requestDraw, requestUpdate } = await import('../../src/renderer/charts/drawQueue')
  const drawn: string[] = []
  const charts = ['a', 'b', 'c'].map(name => () => { drawn.push(name); now += 8 })
  for (let second = 0; second < 6; second++) {
    for (const draw of charts) requestUpdate(draw)
    frame()
    now += 992
  }
  expect(drawn).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  drawn.length = 0
  for (const draw of charts) requestDraw(draw)
  frame()
  frame()
  expect(drawn).toEqual(['a', 'b', 'c'])
  for (const draw of charts) { requestUpdate(draw); forgetDraw(draw) }
  now += 1000
  frame()
  expect(drawn).toEqual(['a', 'b', 'c'])
})
