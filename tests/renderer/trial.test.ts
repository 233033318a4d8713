import { expect, test } from 'vitest'
import { trialWords } from '../../src/renderer/newRun/trialWords'

const report = { device: 'CPU', precision: 'float32' as const, prepareSeconds: 3.14, steps: [{ loss: 2.3456, seconds: 1.2 }, { loss: 2.2, seconds: 0.214 }], peakMemory: 612_300_000 }

test('two steps are told by the pace of the second, and what all would take', () => {
  expect(trialWords(report, 300)).toEqual({ measured: '214 ms a step, loss 2.346, then 2.200, peak 612 MB', expected: 'Ready after 3.1 s; 300 steps take about 1 min 04 s' })
  expect(trialWords({ ...report, steps: report.steps.slice(0, 1) }, null)).toEqual({ measured: '1.2 s a step, loss 2.346, peak 612 MB', expected: 'Ready after 3.1 s' })
})
