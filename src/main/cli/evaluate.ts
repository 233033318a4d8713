import { checkpointOf, checkpointOption } from './checkpointChoice'
import { type Command, textOf } from './command'
import { facts, integer, interval, metric } from './output'
import { progressTo, waitingTo } from './progress'

export const evaluate: Command = {
  name: 'evaluate', usage: 'evaluate --run RUN [--checkpoint best|last|STEP] [--data DATASET]', about: 'Measures a checkpoint on the test images of its data, or on other data.',
  options: { run: { value: 'RUN', about: 'the run', required: true }, checkpoint: checkpointOption, data: { value: 'DATASET', about: 'other data: an id or a path' } },
  words: [0, 0],
  async run({ services, out, json, values, signal }) {
    const input = { run: textOf(values, 'run')!, checkpoint: checkpointOf(values, 'evaluate'), data: textOf(values, 'data') ?? null }
    const report = await services().evaluations.run(input, { signal, onWait: waitingTo(out), ...progressTo(out) })
    if (json) return out.json(report)
    out.line(facts([
      ['Run', report.run], ['Step', String(report.step)], ['Images', `${integer(report.samples)} of ${report.split}`],
      ...Object.entries(report.metrics).map(([name, value]) => [name, metric(name, value)] as const), ['95 % interval', interval(report.interval)],
    ]))
  },
}
