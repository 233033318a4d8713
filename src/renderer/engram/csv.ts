import type { EngramMap } from '@contract/engram'
import { csvLine } from '../lib/download'
import { arriving, leavingOf } from './blockPaths'
import type { MapRow, Vectors } from './lens'
import { spread } from './stats'

const table = (head: string[], lines: readonly string[]): string => `${[csvLine(head), ...lines].join('\r\n')}\r\n`
// A float32 read back gives the same float32.
const digits = 9
const exact = (value: number) => Number(value.toPrecision(digits))

/** Every channel of the rows that are shown, one a line. */
export function mapCsv(rows: readonly MapRow[], step: number): string {
  const lines = rows.flatMap(({ key, site, values }) => Array.from(values, (value, channel) => csvLine([step, site.name, site.block, key.slice(0, key.indexOf('/')), channel, exact(value)])))
  return table(['step', 'layer', 'block', 'of', 'channel', 'value'], lines)
}

/** Every path of the run, with the scale that arrives at its end. */
export function pathsCsv(map: EngramMap, vectors: Vectors, step: number): string {
  const lines = map.paths.map(path => {
    const scale = arriving(vectors, leavingOf(path, undefined)), about = scale && spread(scale, 1)
    return csvLine([step, path.from.join(' '), path.to, path.via, path.exact ? 'yes' : 'no', path.axis, scale?.length, ...about ? [about.distance, about.rms, about.min, about.max].map(exact) : []])
  })
  return table(['step', 'from', 'to', 'through', 'exact', 'axis', 'channels', 'mean distance from 1', 'rms distance from 1', 'lowest', 'highest'], lines)
}
