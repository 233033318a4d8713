import type { InspectReport, SiteCard } from '@contract/model'

export const siteParameters = (site: SiteCard): number =>
  Object.values(site.tensors).reduce((sum, sizes) => sum + sizes.reduce((a, b) => a * b, 1), 0)

/** Where each site's channels flow, in words for one cell. */
export function feedsOf(report: InspectReport): Map<string, { text: string; exact: boolean }[]> {
  const feeds = new Map<string, { text: string; exact: boolean }[]>()
  for (const edge of report.edges) {
    const list = feeds.get(edge.from) ?? []
    list.push({ text: edge.to, exact: edge.exact })
    feeds.set(edge.from, list)
  }
  return feeds
}
