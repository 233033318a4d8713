import { AppError } from '../contract/errors'
import { checkpointOf, checkpointOption } from './checkpointChoice'
import { type Command, textOf } from './command'
import { percent, table } from './output'
import { progressTo } from './progress'

const usage = 'predict --run RUN|--model DIR FILE...'

export const predict: Command = {
  name: 'predict', usage, about: 'The likeliest classes of images, by a run, a backbone or an export.',
  options: { run: { value: 'RUN', about: 'a run' }, model: { value: 'DIR', about: 'a backbone or an export' }, checkpoint: checkpointOption },
  words: [1, 100_000],
  async run({ services, out, json, values, words, signal }) {
    const [run, model] = [textOf(values, 'run') ?? null, textOf(values, 'model') ?? null]
    if ((run === null) === (model === null)) throw new AppError('bad-input', `predict: give either --run or --model; usage: engram ${usage}`)
    const predictions = await services().tools.predict({ run, model, checkpoint: checkpointOf(values, 'predict'), files: [...words] }, { signal, ...progressTo(out) })
    if (json) return out.json(predictions)
    out.line(table(predictions, [
      { title: 'FILE', cell: ({ file }) => file },
      { title: 'CLASSES', cell: ({ top }) => top.slice(0, 5).map(({ label, probability }) => `${label} ${percent(probability)}`).join('  ') },
    ]))
  },
}
