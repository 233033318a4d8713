import type { Command } from './registry'
import { match } from './fuzzy'

export interface Finding { command: Command; at: number[] }
const MOST = 60

/** The commands that a query means, likeliest first; without one, all of them in their order. */
export function findCommands(all: readonly Command[], query: string): Finding[] {
  if (query.trim() === '') return all.slice(0, MOST).map(command => ({ command, at: [] }))
  const found = all.flatMap(command => {
    const own = match(query, command.label)
    const wide = own ?? match(query, `${command.group} ${command.label}`)
    return wide ? [{ command, at: own?.at ?? [], score: wide.score - (own ? 0 : 4) }] : []
  })
  return found.sort((a, b) => b.score - a.score).slice(0, MOST)
}
