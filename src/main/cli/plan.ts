import type { MemorySaving } from '../contract/plan'
import { AppError } from '../contract/errors'
import type { Command } from './command'
import { bytes, facts, integer, table } from './output'
import { readRecipe } from './recipe'

export const plan: Command = {
  name: 'plan', usage: 'plan RECIPE', about: 'Trainable parameters per site, memory estimate, notices.', options: {}, words: [1, 1],
  async run({ services, out, json, words: [named = ''] }) {
    const recipe = readRecipe(services(), named)
    const report = await services().runs.planFrom(recipe.draft, recipe.bases)
    const wrong = report.notices.find(({ level }) => level === 'error')
    if (wrong) throw new AppError('recipe-invalid', `${named}: ${wrong.field && !wrong.message.startsWith(wrong.field) ? `${wrong.field}: ` : ''}${wrong.message}`)
    if (json) return out.json(report)
    const { trainable, memory, steps } = report
    out.line(table(trainable.sites, [
      { title: 'SITE', cell: ({ site }) => site }, { title: 'TRAINS', cell: ({ tensors }) => tensors.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join('  ') },
      { title: 'COUNT', cell: ({ tensors }) => integer(tensors.reduce((sum, { count }) => sum + count, 0)), right: true },
    ]))
    out.line()
    out.line(facts([
      ['Trainable', `${integer(trainable.total)} (method ${integer(trainable.method)}, head ${integer(trainable.head)})`],
      ['Of the model', `${integer(report.parameters)} parameters, ${(100 * trainable.total / Math.max(1, report.parameters)).toFixed(3)} %`],
      ['Memory', `about ${bytes(memory.total)}`], ...memory.lower.map(saving), ['Learning rate', String(report.learningRate)],
      ['Steps', steps ? `${integer(steps.total)} (${integer(steps.perEpoch)} an epoch)` : 'unknown'],
      ...(report.san ? [['SAN', `${report.san.edges.length} propagations`] as const] : []),
    ]))
    for (const { level, field, message } of report.notices) out.line(`${level}: ${field ? `${field}: ` : ''}${message}`)
  },
}

const saving = ({ change, total }: MemorySaving): readonly [string, string] =>
  ['', `with ${Object.entries(change).map(([field, value]) => `${field} ${String(value)}`).join(', ')} about ${bytes(total)}`]
