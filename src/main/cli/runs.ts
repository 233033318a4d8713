import { type Actions, act } from './actions'
import type { RunCard } from '../contract/run'
import type { Command, Context } from './command'
import { bytes, duration, facts, integer, interval, metric, percent, table } from './output'

const actions: Actions = {
  list: { least: 0, most: 0, usage: 'list', run: list },
  show: { least: 1, most: 1, usage: 'show RUN', run: show },
  compare: { least: 2, most: 64, usage: 'compare RUN RUN...', run: compare },
  remove: { least: 1, most: 1, usage: 'remove RUN', run: remove },
}

export const runs: Command = {
  name: 'runs', usage: 'runs list | show RUN | compare RUN RUN... | remove RUN', about: 'The runs of the workspace.', options: {}, words: [1, 65],
  run: context => act('runs', actions, context),
}

const best = ({ best: found }: RunCard) => found ? `${found.metric} ${metric(found.metric, found.value)}` : '-'
const shared = [
  { title: 'RUN', cell: ({ id }: RunCard) => id }, { title: 'STATUS', cell: ({ status }: RunCard) => status },
  { title: 'METHOD', cell: ({ method, san }: RunCard) => san ? `${method} + SAN` : method },
  { title: 'STEP', cell: ({ step, steps }: RunCard) => steps > 0 ? `${step}/${steps}` : '-', right: true },
  { title: 'BEST', cell: best },
]

function list({ services, out, json }: Context): void {
  const cards = services().runs.cards()
  if (json) return out.json(cards)
  if (cards.length === 0) return out.line(`No runs in ${services().workspace.root} yet. "engram train quickstart" makes one.`)
  out.line(table(cards, [...shared, { title: 'TIME', cell: ({ seconds }) => duration(seconds), right: true }, { title: 'DATA', cell: ({ data }) => data }]))
}

function show({ services, out, json }: Context, [run = '']: string[]): void {
  const detail = services().runs.show({ run })
  if (json) return out.json(detail)
  const { card, manifest } = detail
  out.line(facts([
    ['Run', card.id], ['Name', card.name], ['Status', card.status], ['Folder', card.folder], ['Backbone', card.backbone], ['Data', card.data],
    ['Method', card.san ? `${card.method} + SAN` : card.method], ['Trainable', integer(card.trainable)], ['Step', `${card.step} of ${card.steps}`],
    ['Time', duration(card.seconds)], ['Speed', `${integer(card.imagesPerSecond)} images/s`], ['Peak memory', bytes(card.peakMemory)], ['Best', best(card)],
    ...Object.entries(card.metrics).map(([name, value]) => [name, metric(name, value)] as const),
    ...(card.error ? [['Error', card.error.message] as const] : []),
    ...(card.resumeStep === null ? [] : [['Resume from', `step ${card.resumeStep}`] as const]),
    ['Versions', Object.entries(manifest.versions).map(([name, version]) => `${name} ${version}`).join(', ')],
  ]))
  out.line('\nRecipe')
  out.line(JSON.stringify(manifest.recipe, null, 2))
}

const percentOf = (share: number | undefined) => share === undefined ? '-' : percent(share)

async function compare({ services, out, json }: Context, ids: string[]): Promise<void> {
  const report = services().runs.compare({ runs: ids })
  const verdict = await services().runs.verdict({ runs: ids, baseline: null })
  if (json) return out.json({ ...report, verdict })
  const measured = ({ id }: RunCard) => verdict.accuracies.find(({ run }) => run === id)
  out.line(table(report.runs, [
    ...shared, { title: 'ACCURACY', cell: card => percentOf(measured(card)?.accuracy), right: true },
    { title: '95 % INTERVAL', cell: card => { const found = measured(card); return found ? interval(found.interval) : '-' } },
    { title: 'IMAGES', cell: card => { const found = measured(card); return found ? `${integer(found.samples)} of ${found.split}` : '-' } },
  ]))
  out.line()
  for (const { sentence } of [...verdict.seeds, ...verdict.pairs]) out.line(sentence)
  for (const { reason } of verdict.missing) out.line(reason)
  out.line()
  if (report.differences.length === 0) return out.line('Their recipes do not differ.')
  out.line(table(report.differences, [
    { title: 'FIELD', cell: ({ field }) => field },
    ...report.runs.map(({ id }, index) => ({ title: id, cell: ({ values }: { values: unknown[] }) => JSON.stringify(values[index]) })),
  ]))
}

function remove({ services, out, json }: Context, [run = '']: string[]): void {
  services().runs.remove({ run })
  if (json) return out.json({ removed: run })
  out.line(`Run ${run} is in ${services().workspace.trash}.`)
}
