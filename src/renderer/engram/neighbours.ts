import type { EngramMap } from '@contract/engram'
import { blockOf, shortSite } from '../lib/site'
import { pairsOf, similarity, type Measure, type Named, type Pairs } from './similarity'

export interface Neighbours { path: Pairs; nextBlock: Pairs; random: Pairs }
type Kind = keyof Neighbours

/**
 * Are layers that belong together more alike than any two? path: joined by the run's own propagation · nextBlock: the same
 * layer one block on (functional) · random: every other pair of the same width.
 */
export function neighbours(map: EngramMap, rows: readonly Named[], measure: Measure): Neighbours {
  const joined = new Set(map.paths.flatMap(path => path.from.flatMap(from => [`${from} ${path.to}`, `${path.to} ${from}`])))
  const depth = new Map(map.sites.map(site => [site.name, site.block]))
  const found: Record<Kind, number[]> = { path: [], nextBlock: [], random: [] }
  rows.forEach((a, i) => rows.slice(i + 1).forEach(b => {
    if (a.values.length !== b.values.length) return
    const next = blockOf(a.name) !== '' && shortSite(a.name) === shortSite(b.name) && Math.abs(depth.get(a.name)! - depth.get(b.name)!) === 1
    const kind: Kind = joined.has(`${a.name} ${b.name}`) ? 'path' : next ? 'nextBlock' : 'random'
    found[kind].push(similarity(measure, a.values, b.values))
  }))
  return { path: pairsOf(found.path), nextBlock: pairsOf(found.nextBlock), random: pairsOf(found.random) }
}

/** What the comparison says in words, at two standard errors. */
export function verdict(logical: Pairs, random: Pairs, measure: Measure): string {
  if (logical.count < 2 || random.count < 2) return 'too few pairs to tell'
  const error = Math.hypot(logical.deviation / Math.sqrt(logical.count), random.deviation / Math.sqrt(random.count))
  const apart = (measure === 'cosine' ? 1 : -1) * (logical.mean - random.mean)
  return Math.abs(apart) <= 2 * error ? 'not distinguishable from random pairs' : apart > 0 ? 'more alike than random pairs' : 'less alike than random pairs'
}
