import { AppError } from '../contract/errors'
import type { RunEvent } from '../contract/run'
import type { Training } from '../services/runs'
import { type Command, type Context, textOf } from './command'
import { waitingTo } from './progress'
import { createTrainingLines } from './trainingLines'
import { readRecipe } from './recipe'

export const train: Command = {
  name: 'train', usage: 'train RECIPE [--resume RUN]', about: 'Trains a recipe, or goes on with a run; Ctrl-C saves and stops.',
  options: { resume: { value: 'RUN', about: 'go on with a stopped, interrupted or failed run; RECIPE may be left out' } },
  words: [0, 1],
  async run(context) {
    const { services, out, json, signal, values, words: [named] } = context
    const resume = textOf(values, 'resume')
    const lines = createTrainingLines(text => out.line(text))
    let last: RunEvent | undefined
    let begun = false
    const training = await begin(context, named, resume, event => {
      last = event
      begun ||= event.event !== 'phase'
      // Scripts are promised `started` as the first line; what was prepared before stays in events.jsonl.
      if (json && begun) out.jsonLine(event)
      else if (json) return
      else lines.tell(event)
    })
    if (signal.aborted) training.stop()
    else signal.addEventListener('abort', training.stop, { once: true })
    try {
      await training.result
    } finally {
      signal.removeEventListener('abort', training.stop)
      if (!json) lines.end()
      if (last && last.event !== 'finished') out.remark(`To go on: engram train --resume ${training.run} --workspace ${services().workspace.root}`)
    }
  },
}

async function begin({ services, out }: Context, named: string | undefined, resume: string | undefined, onEvent: (event: RunEvent) => void): Promise<Training> {
  const { runs } = services()
  const listener = { onEvent, onWait: waitingTo(out) }
  if (resume === undefined) {
    if (named === undefined) throw new AppError('bad-input', 'train: a recipe is missing; usage: engram train RECIPE [--resume RUN].')
    return runs.launch({ ...readRecipe(services(), named), ...listener })
  }
  if (named !== undefined) {
    const field = runs.differsFrom(resume, readRecipe(services(), named).draft)
    if (field) throw new AppError('recipe-invalid', `${named}: ${field} is not what run ${resume} was started with; a resumed run keeps its recipe, so leave ${named} out or start a new run.`)
  }
  return runs.relaunch(resume, listener)
}
