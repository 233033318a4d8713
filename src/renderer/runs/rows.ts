import type { RunCard } from '@contract/run'
import type { FieldValue, RunGroup } from '@contract/runQuery'

export type Row =
  | { kind: 'run'; key: string; run: RunCard; best: boolean }
  | { kind: 'group'; key: string; value: FieldValue; runs: number; best: number | null; folded: boolean }

/** A group that the index found, with the cards of its runs in place of their ids. */
export type CardGroup = Pick<RunGroup, 'value' | 'best'> & { cards: RunCard[] }

/** Runs that are not in `known` any more are left out. */
export const cardGroups = (groups: readonly RunGroup[], known: ReadonlyMap<string, RunCard>): CardGroup[] =>
  groups.map(({ value, best, runs }) => ({ value, best, cards: runs.map(id => known.get(id)).filter(card => card !== undefined) }))

/** What the index found as rows: a head before each group, the best of a group marked, folded groups without their runs. */
export function toRows(groups: readonly CardGroup[], grouped: boolean, folded: ReadonlySet<string>): Row[] {
  return groups.flatMap(({ value, best, cards }): Row[] => {
    const rows = (): Row[] => cards.map(run => ({ kind: 'run', key: run.id, run, best: cards.length > 1 && run.best !== null && run.best.value === best }))
    if (!grouped) return rows()
    const key = groupKey(value)
    return [{ kind: 'group', key, value, runs: cards.length, best, folded: folded.has(key) }, ...(folded.has(key) ? [] : rows())]
  })
}

export const groupKey = (value: FieldValue): string => `group ${JSON.stringify(value)}`
