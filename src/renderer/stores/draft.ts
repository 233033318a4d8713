import type { ErrorValue } from '@contract/errors'
import type { Notice } from '@contract/plan'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api, errorValue } from '../api'
import { getAt, isObject, same, setAt, type Json, type JsonObject } from '../lib/path'
import { persisted } from '../lib/persisted'
import type { Field } from '../forms/schema'
import { useCatalog } from './catalog'
import { type StartWeights, usePlan } from './usePlan'

/** The recipe being written. It holds only what was chosen; everything else is its default. */
export const useDraft = defineStore('draft', () => {
  const catalog = useCatalog()
  const recipe = persisted<JsonObject>('draft', {})
  const origin = persisted<string>('draft.origin', '')
  /** The checkpoint whose weights the run begins with. */
  const weights = persisted<StartWeights | null>('draft.weights', null)
  /** Whether a sweep is made of it; its runs begin fresh. */
  const isSwept = persisted<boolean>('sweep.on', false)
  const begins = computed(() => isSwept.value ? null : weights.value)
  /** Fields of methods that were left, so that coming back finds them. */
  const leftMethods = persisted<Record<string, JsonObject>>('draft.methods', {})
  const { plan, planError, checking } = usePlan(recipe, begins)
  const startError = shallowRef<ErrorValue | null>(null)
  const starting = ref(false)

  const text = (path: string) => { const value = getAt(recipe.value, path); return typeof value === 'string' ? value : '' }
  const backbone = computed(() => text('backbone.from'))
  const data = computed(() => text('data.from'))
  const methodId = computed(() => text('method.type'))
  const method = computed(() => catalog.method(methodId.value))
  const san = computed(() => isObject(getAt(recipe.value, 'method.san')))

  const get = (path: string) => getAt(recipe.value, path)
  const set = (path: string, value: Json | undefined) => setAt(recipe.value, path, value)
  const differs = (field: Field) => { const value = get(field.path); return value !== undefined && !same(value, field.default) }

  function chooseMethod(id: string): void {
    const { type, san: oldSan = null, ...fields } = isObject(recipe.value['method']) ? recipe.value['method'] : {}
    if (typeof type === 'string') leftMethods.value[type] = fields
    const keepSan = catalog.method(id)?.san.offered ? oldSan : null
    recipe.value['method'] = { type: id, san: keepSan, ...leftMethods.value[id] }
  }

  function load(from: JsonObject, title: string, begins: StartWeights | null = null): void {
    recipe.value = JSON.parse(JSON.stringify(from)) as JsonObject
    origin.value = title
    weights.value = begins
    startError.value = null
  }

  async function start(): Promise<string | undefined> {
    starting.value = true
    try {
      const { run } = await (weights.value ? api.runs.restart({ run: weights.value.run, checkpoint: weights.value.step, recipe: recipe.value }) : api.runs.start(recipe.value))
      startError.value = null
      delete recipe.value['name']
      return run
    } catch (thrown) {
      startError.value = errorValue(thrown)
      return undefined
    } finally {
      starting.value = false
    }
  }

  const notice = (path: string): Notice | undefined => plan.value?.notices.find(one => one.field === path)
  return { recipe, origin, weights, isSwept, plan, planError, checking, startError, starting, backbone, data, methodId, method, san, get, set, differs, chooseMethod, load, start, notice }
})
