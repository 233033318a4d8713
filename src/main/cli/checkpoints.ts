import type { CheckpointCard, PruneReport } from '../contract/checkpoint'
import { PruneRule } from '../contract/checkpoint'
import { type Actions, act } from './actions'
import { AppError } from '../contract/errors'
import { type Command, type Context, textOf } from './command'
import { bytes, metric, parseBytes, table } from './output'

const actions: Actions = {
  list: { least: 0, most: 1, usage: 'list [RUN]', run: list },
  pin: { least: 2, most: 2, usage: 'pin RUN STEP', run: (context, words) => pin(context, words, true) },
  unpin: { least: 2, most: 2, usage: 'unpin RUN STEP', run: (context, words) => pin(context, words, false) },
  prune: { least: 0, most: 64, usage: 'prune [RUN...] [--every STEPS] [--budget SIZE] [--not-last] [--delete]', run: prune },
}

export const checkpoints: Command = {
  name: 'checkpoints', usage: 'checkpoints list [RUN] | pin|unpin RUN STEP | prune [RUN...]',
  about: 'The checkpoints of all runs or of some. prune tells what would go: all but best, last and pinned ones; with --delete they go for good.',
  options: {
    every: { value: 'STEPS', about: 'prune: the first in each so many steps stays too' },
    budget: { value: 'SIZE', about: 'prune: 20GB or the like; the oldest go, until the rest fits' },
    'not-last': { about: 'prune: the last of finished runs may go' },
    delete: { about: 'prune: delete for good what would go' },
  },
  words: [1, 65],
  run: context => act('checkpoints', actions, context),
}

const marks = ({ best, last, pinned }: CheckpointCard) => [best && 'best', last && 'last', pinned && 'pinned'].filter(Boolean).join(', ')
const tableOf = (cards: readonly CheckpointCard[]) => table(cards, [
  { title: 'RUN', cell: ({ run }) => run }, { title: 'STEP', cell: ({ step }) => String(step), right: true }, { title: 'SIZE', cell: ({ sizeBytes }) => bytes(sizeBytes), right: true },
  { title: 'ACCURACY', cell: ({ metrics: { 'validation/accuracy': accuracy } }) => accuracy === undefined ? '-' : metric('accuracy', accuracy), right: true }, { title: 'MARKS', cell: marks },
])

async function list({ services, out, json }: Context, [run]: string[]): Promise<void> {
  const cards = run === undefined ? await services().checkpoints.all() : services().checkpoints.list({ run })
  if (json) return out.json(cards)
  out.line(cards.length === 0 ? 'No checkpoints.' : tableOf(cards))
}

function pin({ services, out, json }: Context, [run = '', given = '']: string[], pinned: boolean): void {
  if (!/^\d{1,15}$/.test(given)) throw new AppError('bad-input', `checkpoints: "${given}" is no step; "engram checkpoints list ${run}" shows them.`)
  const step = Number(given)
  services().checkpoints.pin({ run, step, pinned })
  if (json) return out.json({ run, step, pinned })
  out.line(`The checkpoint of step ${step} is ${pinned ? 'pinned: no rule deletes it' : 'not pinned any more'}.`)
}

async function prune(context: Context, runs: string[]): Promise<void> {
  const { services, out, json, values } = context
  const rule = ruleOf(context, runs)
  const plan = await services().checkpoints.preview(rule)
  const deleted = values['delete'] === true && plan.going.length > 0
  const report = deleted ? await services().checkpoints.prune({ rule, going: plan.going.map(({ run, step }) => ({ run, step })) }) : plan
  if (json) return out.json({ ...report, deleted })
  if (report.going.length > 0) out.line(`${tableOf(report.going)}\n`)
  out.line(summary(report, deleted, rule.budgetBytes))
}

function ruleOf({ values }: Context, runs: string[]): PruneRule {
  const [every, budget] = [textOf(values, 'every'), textOf(values, 'budget')]
  const budgetBytes = budget === undefined ? null : parseBytes(budget)
  if (every !== undefined && !/^[1-9]\d{0,14}$/.test(every)) throw new AppError('bad-input', `checkpoints prune: --every is "${every}"; it is a number of steps from 1 on.`)
  if (budgetBytes === undefined) throw new AppError('bad-input', `checkpoints prune: --budget is "${budget}"; it is a size such as 500MB or 20GB.`)
  return PruneRule.parse({ runs: runs.length > 0 ? runs : null, last: values['not-last'] !== true, everySteps: every === undefined ? null : Number(every), budgetBytes })
}

function summary({ going, goingBytes, kept, keptBytes, busy }: PruneReport, deleted: boolean, budget: number | null): string {
  const verb = deleted ? 'deleted' : 'would go'
  return [
    `${going.length} ${verb} (${bytes(goingBytes)}), ${kept} ${deleted ? 'stay' : 'would stay'} (${bytes(keptBytes)}).`,
    ...(busy.length > 0 ? [`Being trained, so left alone: ${busy.join(', ')}.`] : []),
    ...(budget !== null && keptBytes > budget ? [`That is ${bytes(keptBytes - budget)} over the budget: what is left is best, last, pinned or spared by --every.`] : []),
    ...(!deleted && going.length > 0 ? ['Nothing was deleted; add --delete.'] : []),
  ].join('\n')
}
