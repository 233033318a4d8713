import type { EngramMap, EngramSite, SiteVector, VectorOf } from '@contract/engram'
import { blockOf, shortSite } from '../lib/site'
import { spread } from './stats'

/** What the map shows: gains of outputs, shifts of outputs, or the scales that arrive at inputs. */
export type Mode = 'gain' | 'shift' | 'propagated'
export type Vectors = ReadonlyMap<string, Float32Array>
/** One row of the map: a layer's vector. `values` may be a quotient or difference with another run's. */
export interface MapRow { key: string; site: EngramSite; label: string; values: Float32Array }

const vectorsOf: Record<Mode, readonly VectorOf[]> = { gain: ['gain'], shift: ['shift'], propagated: ['columns', 'rows'] }
export const neutralOf = (mode: Mode): number => mode === 'shift' ? 0 : 1
const keyOf = (of: VectorOf, site: string): string => `${of}/${site}`

export const toVectors = (record: readonly SiteVector[]): Vectors => new Map(record.map(({ of, site, values }) => [keyOf(of, site), values]))
export const gainAt = (vectors: Vectors, site: string): Float32Array | undefined => vectors.get(keyOf('gain', site))

/** The layers that can be shown in a mode, by their names within a block, in order. */
export function layerNames(map: EngramMap, vectors: Vectors, mode: Mode): string[] {
  const shown = map.sites.filter(site => vectorsOf[mode].some(of => vectors.has(keyOf(of, site.name))))
  return [...new Set(shown.map(site => shortSite(site.name)))]
}

/** The layers that the propagation joins, or all inside blocks where there is none. */
export function firstLayers(map: EngramMap, names: readonly string[]): string[] {
  const joined = new Set(map.paths.flatMap(path => [...path.from, path.to]).filter(blockOf).map(site => shortSite(site)))
  const inside = new Set(map.sites.filter(site => site.kind === 'linear' && blockOf(site.name)).map(site => shortSite(site.name)))
  const chosen = names.filter(name => joined.has(name))
  if (chosen.length > 0) return chosen
  const linear = names.filter(name => inside.has(name))
  return linear.length > 0 ? linear : [...names]
}

/** The rows of the map. With `other`, gains become their quotient and shifts their difference; layers of other widths fall out. */
export function mapRows(map: EngramMap, vectors: Vectors, mode: Mode, layers: readonly string[], other: Vectors | null): MapRow[] {
  return map.sites.filter(site => layers.includes(shortSite(site.name))).flatMap(site => vectorsOf[mode].flatMap((of): MapRow[] => {
    const key = keyOf(of, site.name), mine = vectors.get(key), theirs = other?.get(key)
    if (!mine || (other && theirs?.length !== mine.length)) return []
    const label = of === 'rows' ? `${shortSite(site.name)} rows` : shortSite(site.name)
    return [{ key, site, label, values: theirs ? compared(mine, theirs, mode) : mine }]
  }))
}

const compared = (mine: Float32Array, theirs: Float32Array, mode: Mode): Float32Array =>
  mine.map((x, i) => mode === 'shift' ? x - theirs[i]! : x / theirs[i]!)

/** The row that moved farthest, at its farthest channel. */
export function farthest(rows: readonly MapRow[], neutral: number): { key: string; channel: number } | null {
  const most = rows.map(row => ({ row, rms: spread(row.values, neutral).rms })).sort((a, b) => b.rms - a.rms)[0]?.row
  if (!most) return null
  const off = (channel: number) => Math.abs(most.values[channel]! - neutral)
  return { key: most.key, channel: most.values.reduce((best, _, i) => off(i) > off(best) ? i : best, 0) }
}
