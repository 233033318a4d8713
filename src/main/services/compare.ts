import { fieldsOf } from '../contract/fields'
import type { Recipe } from '../contract/recipe'
import type { CompareReport, RunDetail } from '../contract/run'

/** Runs side by side: their cards, and every field of their recipes in which they are not all the same. */
export function compareRuns(details: readonly RunDetail[]): CompareReport {
  const tables = details.map(({ manifest }) => fieldsOf({
    ...manifest.recipe, name: undefined, 'learning rate used': manifest.resolved.learningRate,
    'backbone hash': manifest.resolved.backboneHash.slice(0, 12), 'data hash': manifest.resolved.dataHash.slice(0, 12),
    trainable: manifest.resolved.trainable,
  }))
  const fields = [...new Set(tables.flatMap(table => [...table.keys()]))]
  const rows = fields.map(field => ({ field, values: tables.map(table => table.get(field) ?? null) }))
  const differs = ({ values }: { values: unknown[] }) => values.some(value => JSON.stringify(value) !== JSON.stringify(values[0]))
  const shared = rows.filter(row => !differs(row)).map(({ field, values }) => ({ field, value: values[0] }))
  return { runs: details.map(({ card }) => card), differences: rows.filter(differs), shared }
}

/** Where a recipe lies and what it is called changes nothing that it trains; a path may be written in many ways. */
const FREE = ['name', 'backbone.from', 'data.from']

export function firstDifference(a: Recipe, b: Recipe): string | null {
  const [left, right] = [fieldsOf(a), fieldsOf(b)]
  const fields = [...new Set([...left.keys(), ...right.keys()])].filter(field => !FREE.includes(field))
  return fields.find(field => JSON.stringify(left.get(field)) !== JSON.stringify(right.get(field))) ?? null
}
