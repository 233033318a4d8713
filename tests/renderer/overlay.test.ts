import { expect, test } from 'vitest'
import { tooltipHtml } from '../../src/renderer/charts/tooltip'
import { RunHistory } from '../../src/renderer/history/runHistory'
import { lossModel, type Scene } from '../../src/renderer/run/chartModels'
import { overlaid } from '../../src/renderer/run/overlay'
import { cards, story } from './fakeRuns'

const [first, second] = cards()
const sceneOf = (run: typeof first, colour: Scene['colour'], upTo = Infinity): Scene => {
  const history = new RunHistory()
  for (const event of story(run!)) if (event.event !== 'step' || event.step <= upTo) history.push(event)
  return { history, colour, axis: 'step', smoothing: 0.9, running: true, left: null, memoryTotal: 0, recipe: null, learningRate: 0.005, checkpoints: [] }
}

test('another run lies below in its own colour, without its raw values, as far as it went', () => {
  const own = lossModel(sceneOf(first, 'run-1', 300)), other = lossModel(sceneOf(second, 'run-2'))
  const both = overlaid(own, other, 'baseline')
  expect(both.lines.map(({ name, colour, faint }) => [name, colour, faint ?? false])).toEqual([
    ['baseline, train', 'run-2', false], ['baseline, validation', 'run-2', false],
    ['train', 'run-1', true], ['train', 'run-1', false], ['validation', 'run-1', false],
  ])
  expect(own.x.max).toBeLessThan(2500)
  expect(both.x.max).toBe(2500)
  expect(both.now).toBe(own.now)
})

test('where one of two runs has ended, the tooltip tells the other alone', () => {
  const both = overlaid(lossModel(sceneOf(first, 'run-1', 300)), lossModel(sceneOf(second, 'run-2')), 'baseline')
  expect(tooltipHtml(both, 200, 'light')).toMatch(/baseline, train[^]*>train</)
  expect(tooltipHtml(both, 2000, 'light')).not.toMatch(/>train</)
  expect([both.describe(200), both.describe(2000)].map(text => text.split(',')[0])).toEqual(['step 200', 'step 2'])
})
