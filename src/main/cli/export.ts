import { AppError } from '../contract/errors'
import { checkpointOf, checkpointOption } from './checkpointChoice'
import { type Command, textOf } from './command'
import { bytes, facts, number, percent } from './output'
import { progressTo } from './progress'

export const exportCommand: Command = {
  name: 'export', usage: 'export --run RUN --as merged|adapter --out DIR', about: 'Writes weights that load anywhere, with a report of their verification.',
  options: {
    run: { value: 'RUN', about: 'the run', required: true }, as: { value: 'merged|adapter', about: 'whole weights, or the adapter alone', required: true },
    out: { value: 'DIR', about: 'a folder, new or empty', required: true }, checkpoint: checkpointOption,
  },
  words: [0, 0],
  async run({ services, out, json, values, signal }) {
    const as = textOf(values, 'as')
    if (as !== 'merged' && as !== 'adapter') throw new AppError('bad-input', `export: --as is "${as}"; it can be merged or adapter.`)
    const input = { run: textOf(values, 'run')!, checkpoint: checkpointOf(values, 'export'), as, out: textOf(values, 'out')! } as const
    const report = await services().exports.create(input, { signal, ...progressTo(out) })
    const { verification } = report
    if (json) out.json(report)
    else {
      out.line(facts([
        ['Folder', report.folder], ['Format', report.format], ['Files', `${report.files.join(', ')} (${bytes(report.sizeBytes)})`],
        ['Verified', verification.sentence], ['Largest difference', `${number(verification.maxDifference)} over ${verification.samples} images`],
        ['Same class', percent(verification.top1Agreement)], ['Differs from base', number(verification.differsFromBase)],
      ]))
      out.line(`\n${report.python}`)
    }
    if (verification.passed) return 0
    out.remark(`engram: The export did not pass its verification. ${verification.sentence}`)
    return 1
  },
}
