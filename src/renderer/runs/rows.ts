import type { RunCard } from '@contract/run'
import type { FieldValue, RunMatches } from '@contract/runQuery'

export type Row =
  | { kind: 'run'; key: string; run: RunCard; best: boolean }
  | { kind: 'group'; key: string; value: FieldValue; runs: number; best: number | null; folded: boolean }

/** What the index found as rows: a head before each group, the best of a group marked, folded groups without their runs. */
export function toRows(matches: RunMatches, grouped: boolean, find: (id: string) => RunCard | undefined, folded: ReadonlySet<string>): Row[] {
  return matches.groups.flatMap((group): Row[] => {
    const cards = group.runs.flatMap(id => find(id) ?? [])
    const rows = cards.map((run): Row => ({ kind: 'run', key: run.id, run, best: cards.length > 1 && run.best !== null && run.best.value === group.best }))
    if (!grouped) return rows
    const key = groupKey(group.value)
    return [{ kind: 'group', key, value: group.value, runs: cards.length, best: group.best, folded: folded.has(key) }, ...(folded.has(key) ? [] : rows)]
  })
}

export const groupKey = (value: FieldValue): string => `group ${JSON.stringify(value)}`
