import type { EngramReport } from '@contract/engram'
import { shortSite } from '../lib/site'

export interface Series { label: string; values: number[] }

/** Mean |γ − 1| at every record, of each layer over all blocks. */
export function distanceSeries({ map, records }: EngramReport, layers: readonly string[]): Series[] {
  const sites = (map?.sites ?? []).filter(site => site.gain !== null)
  return layers.flatMap((label): Series[] => {
    const at = sites.flatMap((site, i) => shortSite(site.name) === label ? [i] : [])
    return at.length === 0 ? [] : [{ label, values: records.map(({ distances }) => at.reduce((sum, i) => sum + (distances[i] ?? 0), 0) / at.length) }]
  })
}
