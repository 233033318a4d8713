import { expect, test } from 'vitest'
import { endWords, progressWords } from '../../src/main/words'
import { cards } from '../renderer/fakeRuns'

const find = (status: string) => cards().find(card => card.status === status)!

test('the tray tells how far a run is', () => {
  expect(progressWords({ ...find('running'), name: 'digits', step: 450, steps: 1000, seconds: 450 })).toBe('digits: 45 %, 9 min left')
  expect(progressWords({ ...find('running'), name: '', id: 'run-1', step: 0 })).toBe('run-1: 0 %')
  expect(progressWords({ ...find('running'), name: 'digits', status: 'queued' })).toBe('digits: starting')
})

test('the end of a run is told with its result, unless a person asked for it', () => {
  const finished = { ...find('finished'), name: 'digits', seconds: 7260 }
  expect(endWords({ ...finished, metrics: { 'test/accuracy': 0.9375 } }, 2)).toEqual({ title: 'digits finished', body: '93.8 % on the test, in 2 h 01 min. 2 runs wait.' })
  expect(endWords({ ...finished, metrics: {}, best: { metric: 'validation/accuracy', value: 0.9, step: 1 } }, 0)!.body).toBe('90.0 % on validation, in 2 h 01 min.')
  expect(endWords(find('failed'), 1)).toMatchObject({ title: 'eurosat-vitb-full failed', body: expect.stringMatching(/^Out of memory.* 1 run waits\.$/) })
  expect(endWords(find('interrupted'), 0)!.title).toMatch(/was interrupted$/)
  expect(endWords(find('stopped'), 0)).toBeNull()
})
