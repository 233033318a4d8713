import type { EdgeCard } from '../../contract/model'
import { createRandom } from '../data/random'
import type { Coupling } from '../methods/define'
import type { Edge, Role, Site } from '../sites'
import { topologyOf, type SanConfig, type Topology } from './config'

/** How source vectors become one vector of the target's width. */
export type WidthMap = 'same' | 'interp' | 'headmean'

/** One gain on its way: the scale of `from` multiplies the input columns or output rows of `to`. */
export interface Propagation {
  from: string[]
  to: string
  axis: 'input' | 'output'
  map: WidthMap
  via: EdgeCard['via']
  exact: boolean
}

const attentionInputs: readonly Role[] = ['q', 'k', 'v']
const mlpInputs: readonly Role[] = ['gate', 'up']

/** Who scales whom, and the paths that fall out because widths differ. */
export interface Paths { propagations: Propagation[]; refused: Propagation[] }

/** `sources`: sites whose gain the method offers, in forward order among `sites`. */
export function pathsOf(sites: readonly Site[], sources: readonly Site[], config: SanConfig, coupling: Pick<Coupling, 'sources'>): Paths {
  const all = wantedPaths(sites, sources, config, coupling)
  return { propagations: all.filter(p => fits(p, sites)), refused: all.filter(p => !fits(p, sites)) }
}

function wantedPaths(sites: readonly Site[], sources: readonly Site[], config: SanConfig, coupling: Pick<Coupling, 'sources'>): Propagation[] {
  const topology = topologyOf(config)
  const active = sources.filter(site => coupling.sources === 'norm' ? site.kind === 'norm' : site.kind !== 'norm' || topology.qkvSource === 'norm1')
  if (coupling.sources === 'norm') return active.flatMap(site => direct(site, sites))
  if (topology.kind === 'functional') return active.flatMap(site => nextBlock(site, sites, topology.axis))
  const located = locational(sites, active, topology, config.headSource)
  return topology.kind === 'random' ? shuffled(located, sites, topology.axis, config.seed) : located.map(p => ({ ...p, axis: topology.axis }))
}

const find = (sites: readonly Site[], name: string): Site => sites.find(s => s.name === name)!

/** A row scale needs the target to be as wide at its output as the source is. */
function fits(p: Propagation, sites: readonly Site[]): boolean {
  const width = p.map === 'interp' ? null : find(sites, p.from[0]!).out
  const target = find(sites, p.to)
  return width === null || width === (p.axis === 'input' ? target.in : target.out)
}

const along = (from: string, edge: Edge): Propagation => ({ from: [from], to: edge.to, axis: 'input', map: 'same', via: edge.via, exact: edge.exact })

/** Norm tuning: a norm's gain reaches the projections right behind it. */
const direct = (site: Site, sites: readonly Site[]): Propagation[] =>
  site.feeds.filter(e => e.via === 'direct' && find(sites, e.to).role !== 'head').map(e => along(site.name, e))

function locational(sites: readonly Site[], sources: readonly Site[], t: Topology, headSource: boolean): Propagation[] {
  return sources.flatMap(site => site.feeds.flatMap(edge => {
    const target = find(sites, edge.to)
    if (edge.via === 'attention') return intoOutput(site, edge, sources, t)
    if (!wanted(site, target, t, headSource)) return []
    return [along(site.name, edge)]
  }))
}

function wanted(site: Site, target: Site, t: Topology, headSource: boolean): boolean {
  const toAttention = attentionInputs.includes(target.role), toMlp = mlpInputs.includes(target.role)
  if (site.kind === 'norm') return toAttention && t.qkvSource === 'norm1'
  if (site.role === 'patch') return toAttention && t.qkvSource === 'patchEmbed'
  if (site.role === 'down') return toAttention ? t.qkvSource === 'prevFc2' : target.role === 'head' && headSource
  return (site.role === 'o' && toMlp) || (site.role === 'up' && target.role === 'down')
}

function intoOutput(value: Site, edge: Edge, sources: readonly Site[], t: Topology): Propagation[] {
  if (t.projMap === 'none') return []
  if (t.projMap === 'headmean') return [{ ...along(value.name, edge), map: 'headmean', exact: false }]
  if (t.projMap === 'vslice') return [along(value.name, edge)]
  const all = sources.filter(s => s.depth === value.depth && attentionInputs.includes(s.role)).map(s => s.name)
  return [{ ...along(value.name, edge), from: all, map: 'interp', exact: false }]
}

/** Functional: the same projection one block on; the last block's gain goes nowhere. */
function nextBlock(site: Site, sites: readonly Site[], axis: 'input' | 'output'): Propagation[] {
  if (site.kind !== 'linear' || site.role === 'head') return []
  const target = sites.find(s => s.depth === site.depth + 1 && s.role === site.role && s.kind === 'linear')
  return target ? [{ from: [site.name], to: target.name, axis, map: 'same', via: 'residual', exact: false }] : []
}

/** The same sources, each sent to a seeded choice among strictly later layers of a fitting width. */
function shuffled(located: readonly Propagation[], sites: readonly Site[], axis: 'input' | 'output', seed: number): Propagation[] {
  const random = createRandom(seed, 'san-targets')
  return located.flatMap(p => {
    const source = find(sites, p.from[0]!)
    const later = sites.filter(s => s.kind === 'linear' && s.role !== 'head' && s.depth >= source.depth
      && sites.indexOf(s) > sites.indexOf(source) && !parallel(source, s) && (axis === 'input' ? s.in : s.out) === source.out)
    const target = later[random.int(Math.max(1, later.length))]
    return target ? [{ from: [source.name], to: target.name, axis, map: 'same' as const, via: 'residual' as const, exact: false }] : []
  })
}

/** q, k, v of one block run side by side, and so do gate and up: none of them is later than another. */
const parallel = (a: Site, b: Site): boolean => a.depth === b.depth
  && [attentionInputs, mlpInputs].some(group => group.includes(a.role) && group.includes(b.role))
