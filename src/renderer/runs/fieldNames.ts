import type { FieldValue } from '@contract/runQuery'
import { missing } from '../lib/format'
import { useCatalog } from '../stores/catalog'
import { useDatasets } from '../stores/datasets'
import { useModels } from '../stores/models'

const cardNames: Record<string, string> = { status: 'Status', method: 'Method', backbone: 'Backbone', data: 'Dataset', seed: 'Seed', tags: 'Tag', trainable: 'Trainable', favourite: 'Favourite', archived: 'Archived' }
/** Recipe fields that a card field says better. */
const doubled = new Set(['method.type', 'backbone.from', 'data.from', 'seed'])
export const commonFields = ['backbone', 'data', 'method', 'status', 'seed', 'tags']

/** How fields and their values are called. */
export function useFieldNames() {
  const catalog = useCatalog()
  const datasets = useDatasets()
  const models = useModels()

  const name = (field: string): string => cardNames[field] ?? catalog.fieldLabel(field)

  function value(field: string, one: FieldValue): string {
    if (one === null) return field === 'tags' ? 'no tag' : missing
    if (field === 'method' && typeof one === 'string') return catalog.methodTitle(one.replace(/ san$/, ''), one.endsWith(' san'))
    if (field === 'backbone') return models.nameOf(String(one))
    if (field === 'data') return datasets.nameOf(String(one))
    if (field === 'favourite' || field === 'archived') return one ? 'yes' : 'no'
    if (typeof one === 'boolean') return one ? 'on' : 'off'
    return String(one)
  }

  /** Choices for a list of fields; paths beside names that several fields share. */
  function options(recipeFields: readonly string[]): { value: string; label: string }[] {
    const own = recipeFields.filter(field => !doubled.has(field)).map(field => ({ value: field, label: `${name(field)}, ${field}` }))
    return [...commonFields.map(field => ({ value: field, label: name(field) })), ...own]
  }

  return { name, value, options }
}
