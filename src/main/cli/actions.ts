import { AppError } from '../contract/errors'
import { nearest } from '../contract/parse'
import type { Context } from './command'

/** What a command may be followed by, and how many words each takes. */
export type Actions = Readonly<Record<string, { least: number; most: number; usage: string; run(context: Context, words: string[]): Promise<void> | void }>>

/** Does what the first word after a command says. */
export async function act(command: string, actions: Actions, context: Context): Promise<void> {
  const [word = '', ...words] = context.words
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined
  if (!action) {
    const near = nearest(word, Object.keys(actions))
    throw new AppError('bad-input', `${command}: there is no "${word}"; ${near ? `did you mean "${near}"?` : `one of ${Object.keys(actions).join(', ')}.`}`)
  }
  if (words.length < action.least || words.length > action.most) throw new AppError('bad-input', `${command} ${word}: usage: engram ${command} ${action.usage}`)
  await action.run(context, words)
}
