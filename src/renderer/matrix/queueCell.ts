import type { Recipe } from '@contract/recipe'
import type { RunCard } from '@contract/run'
import { api } from '../api'
import type { MethodRow } from './matrix'

/** The template's recipe with this method and data. Another method takes its own learning rate and settings. */
export async function cellRecipe(template: RunCard, method: MethodRow, dataset: string): Promise<Record<string, unknown>> {
  const { recipe } = (await api.runs.show({ run: template.id })).manifest
  const own: Recipe['method'] = template.method === method.type ? recipe.method : { type: method.type, san: null, ...(method.rank === null ? {} : { rank: method.rank }) }
  const train = template.method === method.type ? recipe.train : { ...recipe.train, learningRate: null }
  return { ...recipe, name: '', data: { ...recipe.data, from: dataset }, method: { ...own, san: method.san ? own.san ?? {} : null }, train }
}

/** The recipe of a cell under the first seed that it has not. */
export async function nextSeedRecipe(runs: readonly RunCard[]): Promise<Record<string, unknown>> {
  const { recipe } = (await api.runs.show({ run: runs[0]!.id })).manifest
  const taken = new Set(runs.map(run => run.seed))
  let seed = 0
  while (taken.has(seed)) seed++
  return { ...recipe, name: '', seed }
}
