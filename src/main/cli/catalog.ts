import { AppError } from '../contract/errors'
import { nearest } from '../contract/parse'
import type { Command, Context } from './command'
import { integer, table } from './output'

/** What each word lists: the JSON, and the table for people. */
const lists: Record<string, (context: Context) => Promise<{ value: unknown; text: string }>> = {
  async methods({ services }) {
    const value = services().catalog.methods()
    const text = table(value.methods, [
      { title: 'ID', cell: ({ id }) => id }, { title: 'SAN', cell: ({ san }) => san.offered ? 'yes' : 'no' },
      { title: 'RATE', cell: ({ learningRate }) => String(learningRate), right: true }, { title: 'WHAT IT DOES', cell: ({ summary }) => summary },
    ])
    return { value, text }
  },
  async backbones({ services }) {
    const value = await services().models.list()
    const text = table(value, [
      { title: 'ID', cell: ({ id }) => id }, { title: 'PARAMETERS', cell: ({ parameters }) => integer(parameters), right: true },
      { title: 'PIXELS', cell: ({ imageSize }) => String(imageSize), right: true }, { title: 'FROM', cell: ({ source }) => source },
      { title: 'ABOUT', cell: ({ problem, summary }) => problem ?? summary },
    ])
    return { value, text }
  },
  async datasets({ services }) {
    const value = await services().datasets.list()
    const text = table(value, [
      { title: 'ID', cell: ({ id }) => id }, { title: 'CLASSES', cell: ({ classes }) => String(classes.length), right: true },
      { title: 'IMAGES', cell: ({ splits }) => Object.entries(splits).map(([split, count]) => `${split} ${integer(count)}`).join(', ') },
      { title: 'FROM', cell: ({ source }) => source }, { title: 'ABOUT', cell: ({ problem, path }) => problem ?? path },
    ])
    return { value, text }
  },
  async recipes({ services }) {
    const value = services().catalog.recipes()
    return { value, text: table(value, [{ title: 'ID', cell: ({ id }) => id }, { title: 'TITLE', cell: ({ title }) => title }]) }
  },
}

export const catalog: Command = {
  name: 'catalog', usage: 'catalog methods|backbones|datasets|recipes', about: 'What recipes can be made of.', options: {}, words: [1, 1],
  async run(context) {
    const [word = ''] = context.words
    const list = Object.hasOwn(lists, word) ? lists[word] : undefined
    if (!list) {
      const near = nearest(word, Object.keys(lists))
      throw new AppError('bad-input', `catalog: there is no list "${word}"; ${near ? `did you mean "${near}"?` : `one of ${Object.keys(lists).join(', ')}.`}`)
    }
    const { value, text } = await list(context)
    if (context.json) context.out.json(value)
    else context.out.line(text)
  },
}
