import type { ErrorValue } from '@contract/errors'
import type { MethodCard } from '@contract/method'
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { api, errorValue } from '../api'
import type { JsonObject } from '../lib/path'
import { schemaAt, type Schema } from '../forms/schema'

export interface SampleRecipe { id: string; title: string; recipe: JsonObject }

/** What can be chosen: methods with their form schemas, SAN's schema, the recipe's schema, ready recipes. */
export const useCatalog = defineStore('catalog', () => {
  const methods = shallowRef<MethodCard[]>([])
  const san = shallowRef<Schema>({})
  const recipeSchema = shallowRef<Schema>({})
  const recipes = shallowRef<SampleRecipe[]>([])
  const error = shallowRef<ErrorValue | null>(null)
  const loaded = computed(() => methods.value.length > 0)

  async function load(): Promise<void> {
    try {
      const [catalog, schema, samples] = await Promise.all([api.catalog.methods(undefined), api.catalog.recipeSchema(undefined), api.catalog.recipes(undefined)])
      methods.value = catalog.methods
      san.value = catalog.san as Schema
      recipeSchema.value = schema as Schema
      recipes.value = samples as SampleRecipe[]
      error.value = null
    } catch (thrown) {
      error.value = errorValue(thrown)
    }
  }

  const method = (id: string) => methods.value.find(card => card.id === id)
  const section = (path: string): Schema => schemaAt(recipeSchema.value, path) ?? {}

  /** A field's name as its form shows it, from its path in the recipe. */
  function fieldLabel(path: string): string {
    const chosen = methods.value.map(card => schemaAt(card.config as Schema, path.replace(/^method\./, ''))?.title).find(Boolean)
    const title = path.startsWith('method.san.') ? schemaAt(san.value, path.slice('method.san.'.length))?.title : path.startsWith('method.') ? chosen : undefined
    return title ?? schemaAt(recipeSchema.value, path)?.title ?? (path === 'method.san' ? 'SAN' : path.split('.').at(-1) ?? path)
  }

  /** How a run's or recipe's method is named: "SSF with SAN". */
  function methodTitle(id: string, withSan: boolean): string {
    const title = method(id)?.title ?? id
    return withSan ? `SAN + ${title}` : title
  }

  return { methods, san, recipeSchema, recipes, error, loaded, load, method, section, fieldLabel, methodTitle }
})
