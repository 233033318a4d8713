import type Database from 'libsql'
import { cardFields, type CardField, type FieldValue, type FieldValues, type RunFilter, type RunGroup, type RunMatches, type RunQuery, type Sparkline } from '../contract/runQuery'
import { curvesOf, RunFacts } from './foldRun'

/** Questions to the index. They see what was last read of the run folders. */
export interface RunSearch {
  query(query: RunQuery): RunMatches
  /** Fields of the recipes in the workspace. */
  fields(): string[]
  /** Values of a field, with the number of runs that have each; the most frequent first. */
  values(field: string): FieldValues
  sparklines(runs: readonly string[]): Sparkline[]
}

interface Sql { text: string; values: (string | number)[] }

const card = (path: string) => `json_extract(card, '$.${path}')`
const tags = `json_each(card, '$.labels.tags')`
const sources: Record<Exclude<CardField, 'tags'>, string> = {
  name: card('name'), status: card('status'), method: `${card('method')} || iif(${card('san')}, ' san', '')`, backbone: card('backbone'), data: card('data'), seed: card('seed'),
  trainable: card('trainable'), best: card('best.value'), last: card('metrics."validation/accuracy"'), test: card('metrics."test/accuracy"'), loss: card('metrics."train/loss"'),
  seconds: card('seconds'), peakMemory: card('peakMemory'), createdAt: card('createdAt'), favourite: card('labels.favourite'), archived: card('labels.archived'),
}
/** Taken out of the card when it is written, not each time it is searched. */
export const cardColumns = Object.entries(sources).map(([name, source]) => `"${name}" ANY GENERATED ALWAYS AS (${source}) STORED`).join(', ')
const isCardField = (field: string): field is CardField => (cardFields as readonly string[]).includes(field)
/** A field of the recipe is passed as a value, so no name can become SQL. */
const recipePath = (field: string) => `$."${field.replaceAll('"', '')}"`

function place(field: string): Sql {
  if (field === 'tags') return { text: `(SELECT min(value) FROM ${tags})`, values: [] }
  if (isCardField(field)) return { text: `"${field}"`, values: [] }
  return { text: 'json_extract(recipe, ?)', values: [recipePath(field)] }
}

const join = (parts: readonly Sql[], between: string): Sql => ({ text: parts.map(({ text }) => text).join(between), values: parts.flatMap(({ values }) => values) })

function condition({ field, values, not }: RunFilter): Sql {
  const named = values.filter(value => value !== null).map(value => typeof value === 'boolean' ? Number(value) : value)
  const list = named.map(() => '?').join(', ')
  if (field === 'tags') {
    const has = `EXISTS (SELECT 1 FROM ${tags} WHERE value IN (${list}))`
    return { text: not ? `NOT ${has}` : has, values: named }
  }
  const at = place(field)
  // NULL is in no list, and compares with nothing.
  const text = `(${at.text} IN (${list})${values.includes(null) ? ` OR ${at.text} IS NULL` : ''})`
  return { text: not ? `NOT coalesce(${text}, 0)` : text, values: [...at.values, ...named, ...(values.includes(null) ? at.values : [])] }
}

function where({ words, filters }: Pick<RunQuery, 'words' | 'filters'>): Sql {
  const named = words.toLowerCase().split(/\s+/).filter(word => word !== '')
  const parts: Sql[] = [...named.map(word => ({ text: 'instr(words, ?) > 0', values: [word] })), ...filters.map(condition)]
  return parts.length === 0 ? { text: '1', values: [] } : join(parts, ' AND ')
}

export function createRunSearch(database: Database.Database): RunSearch {
  const all = ({ text, values }: Sql): Record<string, unknown>[] => database.prepare(text).all(...values) as Record<string, unknown>[]
  return {
    query(query) {
      const [match, by, group] = [where(query), place(query.sort.field), query.groupBy === null ? null : place(query.groupBy)]
      const inOrder = join([
        { text: 'SELECT run,', values: [] }, group ?? { text: 'NULL', values: [] }, { text: `AS grouped, "best" FROM runs WHERE`, values: [] }, match,
        { text: 'ORDER BY', values: [] }, by, { text: `COLLATE NOCASE ${query.sort.down ? 'DESC' : 'ASC'} NULLS LAST, "createdAt" DESC, run DESC`, values: [] },
      ], ' ')
      // One row with everything: the bridge to SQLite costs more than the rows themselves.
      const [found] = all({ text: `SELECT json_group_array(json_array(run, grouped, best)) AS rows FROM (${inOrder.text})`, values: inOrder.values })
      return grouped(JSON.parse(String(found?.['rows'] ?? '[]')) as MatchRow[])
    },
    fields: () => all({ text: 'SELECT field FROM fields ORDER BY field', values: [] }).map(row => String(row['field'])),
    values(field) {
      if (field === 'tags') return all({ text: `SELECT value, count(*) AS runs FROM runs, ${tags} GROUP BY value ORDER BY runs DESC, value`, values: [] }).map(countOf)
      const at = place(field)
      const type = isCardField(field) ? { text: 'NULL', values: [] } : { text: 'json_type(recipe, ?)', values: [recipePath(field)] }
      return all(join([{ text: 'SELECT', values: [] }, at, { text: 'AS value,', values: [] }, type, { text: 'AS type, count(*) AS runs FROM runs GROUP BY 1, 2 ORDER BY runs DESC, value', values: [] }], ' ')).map(countOf)
    },
    sparklines(runs) {
      const rows = all({ text: 'SELECT run, facts FROM runs WHERE run IN (SELECT value FROM json_each(?))', values: [JSON.stringify(runs)] })
      return rows.map(row => ({ run: String(row['run']), ...curvesOf(RunFacts.parse(JSON.parse(String(row['facts'])))) }))
    },
  }
}

type MatchRow = [run: string, grouped: string | number | null, best: number | null]

/** Groups in the order of their first run. */
function grouped(rows: readonly MatchRow[]): RunMatches {
  const groups = new Map<string | number | null, RunGroup>()
  for (const [run, value, best] of rows) {
    const group = groups.get(value) ?? { value, runs: [], best: null }
    group.runs.push(run)
    if (best !== null && best > (group.best ?? -Infinity)) group.best = best
    groups.set(value, group)
  }
  return { total: rows.length, groups: [...groups.values()] }
}

function countOf(row: Record<string, unknown>): { value: FieldValue; runs: number } {
  const value = row['type'] === 'true' || row['type'] === 'false' ? row['type'] === 'true' : row['value'] as FieldValue
  return { value, runs: Number(row['runs']) }
}
