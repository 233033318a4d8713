import type { PlanReport } from '@contract/plan'
import { shape } from '../lib/format'

type Site = PlanReport['trainable']['sites'][number]
export interface TreeRow { key: string; label: string; shape: string; method: string; count: number; group: boolean; inner: boolean; open: boolean }

const siteCount = (site: Site) => site.tensors.reduce((sum, tensor) => sum + tensor.count, 0)
const blockOf = (site: string) => /^(.*\.)?(\d+)\.(.+)$/.exec(site)
const lastPart = (site: string) => site.split('.').at(-1) ?? site

interface Block { prefix: string; first: number; last: number; members: Site[]; total: number; signature: string }

/** Trained sites as a tree: blocks that train the same are one row, "blocks.1 to 11". */
export function siteTree(sites: readonly Site[], methodName: string, san: boolean, opened: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = []
  for (const entry of groups(sites)) {
    if ('site' in entry) { rows.push(leaf(entry, methodName, false)); continue }
    const key = `${entry.prefix}${entry.first}`
    const open = opened.has(key)
    rows.push({ key, label: entry.first === entry.last ? key : `${key} to ${entry.last}`, shape: '', method: san && entry.members.some(site => site.from.length > 0) ? `${methodName} + SAN` : methodName, count: entry.total, group: true, inner: false, open })
    if (open) rows.push(...entry.members.map(site => leaf(site, methodName, true)))
  }
  return rows
}

function leaf(site: Site, methodName: string, inner: boolean): TreeRow {
  const from = [...new Set(site.from.map(lastPart))]
  const label = inner ? blockOf(site.site)?.[3] ?? site.site : site.site
  const isHead = /^head/.test(site.site)
  return { key: site.site, label, shape: shape(site.shape), method: isHead ? 'trained' : from.length ? `${methodName}, from ${from.join(', ')}` : methodName, count: siteCount(site), group: false, inner, open: false }
}

function groups(sites: readonly Site[]): (Site | Block)[] {
  const result: (Site | Block)[] = []
  const blocks = new Map<string, Site[]>()
  for (const site of sites) {
    const match = blockOf(site.site)
    if (!match) { result.push(site); continue }
    const key = `${match[1] ?? ''}${match[2]}`
    if (!blocks.has(key)) { blocks.set(key, []); result.push(toBlock(match[1] ?? '', Number(match[2]), blocks.get(key) ?? [])) }
    blocks.get(key)?.push(site)
  }
  return mergeEqual(result)
}

const toBlock = (prefix: string, index: number, members: Site[]): Block => ({ prefix, first: index, last: index, members, total: 0, signature: '' })

// The first block stays by itself, so that one can be looked into as an example.
function mergeEqual(entries: (Site | Block)[]): (Site | Block)[] {
  const merged: (Site | Block)[] = []
  for (const entry of entries) {
    if ('site' in entry) { merged.push(entry); continue }
    entry.total = entry.members.reduce((sum, site) => sum + siteCount(site), 0)
    entry.signature = entry.members.map(site => `${lastPart(site.site)}:${siteCount(site)}`).join()
    const before = merged.at(-1)
    if (before && !('site' in before) && before.first > 0 && before.signature === entry.signature && before.last + 1 === entry.first) {
      before.last = entry.last
      before.total += entry.total
    } else merged.push(entry)
  }
  return merged
}
