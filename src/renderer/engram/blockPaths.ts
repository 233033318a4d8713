import type { EngramMap, EngramPath, EngramSite } from '@contract/engram'
import { blockOf, shortSite } from '../lib/site'
import { viaWords } from '../newRun/propagation'
import { blockLabel } from './layout'
import { gainAt, type Vectors } from './lens'
import { spread } from './stats'

/** One gain on its way out of a layer. `through` says what lies between; `target` is named where it is not the next layer. */
export interface Leaving { key: string; from: string[]; to: string; through: string; target: string; exact: boolean; axis: string; own: boolean }
export interface BlockNode { site: EngramSite; label: string; leaving: Leaving[] }
export interface BlockGraph { stubs: string[]; stubReason: string; entering: Leaving[]; nodes: BlockNode[] }

/** What happens to gains in one block: layers in order, their paths, what comes in from other blocks, and who has no target. */
export function blockGraph(map: EngramMap, block: number): BlockGraph {
  const inside = map.sites.filter(site => site.block === block && (site.kind === 'linear' || site.kind === 'conv' || touched(map, site.name)))
  const linked = inside.filter(site => touched(map, site.name))
  const stubs = inside.filter(site => !touched(map, site.name)), names = new Set(linked.map(site => site.name))
  const nodes = linked.map((site, i): BlockNode => ({
    site, label: shortSite(site.name),
    leaving: map.paths.filter(path => path.from.at(-1) === site.name).map(path => leavingOf(path, linked[i + 1]?.name)),
  }))
  return {
    nodes, stubs: stubs.map(site => shortSite(site.name)),
    stubReason: stubs.every(site => site.role === 'q' || site.role === 'k') ? 'softmax: no target' : 'no target',
    entering: map.paths.filter(path => names.has(path.to) && !path.from.some(from => names.has(from))).map(path => leavingOf(path, undefined)),
  }
}

const touched = (map: EngramMap, site: string): boolean => map.paths.some(path => path.to === site || path.from.includes(site))

export function leavingOf(path: EngramPath, next: string | undefined): Leaving {
  const same = blockOf(path.to) === blockOf(path.from[0]!)
  return {
    key: `${path.from.join('+')}>${path.to}`, from: path.from, to: path.to, through: viaWords[path.via], exact: path.exact,
    target: path.to === next ? '' : `to ${same ? shortSite(path.to) : path.to}`,
    axis: path.axis === 'input' ? 'on input columns' : 'on output rows', own: path.map === 'same',
  }
}

export const blockTitle = (block: number, blocks: number): string => block < 0 ? 'Propagation before the blocks' : block >= blocks ? 'Propagation after the blocks' : `Propagation in block ${blockLabel(block, blocks)}`

/** The scale that a gain arrives as. */
export const arriving = (vectors: Vectors, { own, from, to }: Leaving): Float32Array | undefined => (own ? gainAt(vectors, from[0]!) : undefined) ?? vectors.get(`columns/${to}`) ?? vectors.get(`rows/${to}`)

/** Pixels: the root mean square distance from 1. */
export const thickness = (scale: Float32Array | undefined): number => Math.min(9, 1.5 + (scale ? spread(scale, 1).rms : 0) * 110)
