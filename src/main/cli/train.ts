import { AppError } from '../contract/errors'
import type { RunEvent } from '../contract/run'
import type { Services } from '../services/index'
import type { Training, TrainingListener, TrainRequest } from '../services/launch'
import { checkpointOf, checkpointOption } from './checkpointChoice'
import { type Command, type Context, textOf, type Values } from './command'
import { waitingTo } from './progress'
import { createTrainingLines } from './trainingLines'
import { readRecipe } from './recipe'

const usage = 'train RECIPE [--from RUN [--checkpoint best|last|STEP]] [--resume RUN]'

export const train: Command = {
  name: 'train', usage, about: 'Trains a recipe, from a checkpoint\'s weights where one is named, or goes on with a run; Ctrl-C saves and stops.',
  options: {
    from: { value: 'RUN', about: 'a new run that begins with the weights of this one, at step 0; without RECIPE by the same recipe' },
    checkpoint: { ...checkpointOption, about: 'which checkpoint of --from (best)' },
    resume: { value: 'RUN', about: 'go on with a stopped, interrupted or failed run; RECIPE may be left out' },
  },
  words: [0, 1],
  async run(context) {
    const { services, out, json, signal } = context
    const lines = createTrainingLines(text => out.line(text))
    let last: RunEvent | undefined
    let begun = false, started = false
    const training = await begin(context, event => {
      last = event
      begun ||= event.event !== 'phase'
      started ||= event.event === 'started'
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
      if (started && last?.event !== 'finished') out.remark(`To go on: engram train --resume ${training.run} --workspace ${services().workspace.root}`)
    }
  },
}

async function begin({ services, out, values, words: [named] }: Context, onEvent: (event: RunEvent) => void): Promise<Training> {
  const resume = textOf(values, 'resume'), from = startOf(values)
  const listener = { onEvent, onWait: waitingTo(out) }
  if (resume !== undefined) return goOn(services(), resume, named, listener)
  if (named === undefined && !from) throw new AppError('bad-input', `train: a recipe is missing; usage: engram ${usage}.`)
  const recipe = named === undefined ? { draft: null, bases: [process.cwd()] } : readRecipe(services(), named)
  return services().runs.launch({ ...recipe, from, ...listener })
}

/** The checkpoint whose weights a new run begins with. */
function startOf(values: Values): TrainRequest['from'] {
  const run = textOf(values, 'from')
  if (run === undefined && textOf(values, 'checkpoint') !== undefined) throw new AppError('bad-input', 'train: --checkpoint says which checkpoint of --from to begin with; add --from RUN.')
  if (run !== undefined && textOf(values, 'resume') !== undefined) throw new AppError('bad-input', 'train: --from begins a new run and --resume goes on with one; give one of them.')
  return run === undefined ? null : { run, checkpoint: checkpointOf(values, 'train') }
}

function goOn(services: Services, resume: string, named: string | undefined, listener: TrainingListener): Promise<Training> {
  const { runs } = services
  if (named !== undefined) {
    const field = runs.differsFrom(resume, readRecipe(services, named).draft)
    if (field) throw new AppError('recipe-invalid', `${named}: ${field} is not what run ${resume} was started with; a resumed run keeps its recipe, so leave ${named} out or start a new run.`)
  }
  return runs.relaunch(resume, listener)
}
