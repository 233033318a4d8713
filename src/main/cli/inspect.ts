import type { EdgeCard } from '../contract/model'
import type { Command } from './command'
import { bytes, facts, integer, table } from './output'

export const inspect: Command = {
  name: 'inspect', usage: 'inspect DIR|FILE', about: 'A checkpoint: architecture, shape, parameters, sites, edges. Reads no weight.', options: {}, words: [1, 1],
  async run({ services, out, json, words: [path = ''] }) {
    const report = await services().models.inspect({ path })
    if (json) return out.json(report)
    const { shape } = report
    out.line(facts([
      ['Model', report.name], ['Architecture', `${report.architecture} (${report.format})`], ['Parameters', integer(report.parameters)],
      ['Size', `${bytes(report.sizeBytes)} in ${report.dtype}`], ['Image', `${shape.imageSize} px in patches of ${shape.patch}`],
      ['Shape', `${shape.depth} blocks, ${shape.width} wide, ${shape.heads} heads, MLP ${shape.mlp}`],
      ['Classes', shape.classes === 0 ? 'none (features only)' : integer(shape.classes)], ['Pooling', shape.pool],
      ['Sites', `${report.sites.length}, with ${report.edges.length} edges`], ['Unused tensors', report.unused.length === 0 ? 'none' : report.unused.join(', ')],
    ]))
    out.line()
    out.line(table(report.sites, [
      { title: 'SITE', cell: ({ name }) => name }, { title: 'KIND', cell: ({ kind }) => kind }, { title: 'ROLE', cell: ({ role }) => role },
      { title: 'IN', cell: site => String(site.in), right: true }, { title: 'OUT', cell: site => String(site.out), right: true },
      { title: 'FEEDS', cell: ({ name }) => feeds(report.edges.filter(({ from }) => from === name)) },
    ]))
  },
}

/** Through the residual stream a layer feeds all that come after it: those are counted. */
function feeds(edges: readonly EdgeCard[]): string {
  const residual = edges.filter(({ via }) => via === 'residual').length
  const others = edges.filter(({ via }) => via !== 'residual').map(({ to, via }) => `${to} (${via})`)
  return [...others, ...(residual > 0 ? [`${residual} through the residual stream`] : [])].join(', ')
}
