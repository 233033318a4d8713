import type { Command } from './command'
import { table } from './output'

const signs = { ok: 'ok', warning: 'note', missing: 'MISSING' } as const

export const doctor: Command = {
  name: 'doctor', usage: 'doctor', about: 'Runtime, devices, caches, disk; what is missing and the command that mends it.', options: {}, words: [0, 0],
  async run({ services, out, json }) {
    const report = await services().system.doctor()
    if (json) out.json(report)
    else {
      out.line(table(report.checks, [
        { title: 'CHECK', cell: ({ title }) => title }, { title: 'STATE', cell: ({ state }) => signs[state] }, { title: 'DETAIL', cell: ({ detail }) => detail },
      ]))
      for (const { title, mend } of report.checks) if (mend) out.line(`\n${title}: ${mend}`)
    }
    return report.ok ? 0 : 1
  },
}
