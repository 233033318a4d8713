import { z } from 'zod'
import { AppError } from '../contract/errors'
import { firstIssue, nearest, parseOrThrow } from '../contract/parse'
import { Recipe } from '../contract/recipe'
import type { Method } from './methods/define'
import { methods } from './methods/index'
import { SanConfig } from './san/config'

/** `sites` goes with every method that picks layers: an expert's narrowing by name. */
const Patterns = z.array(z.string().min(1)).min(1).default(['*'])
  .meta({ title: 'Sites', description: 'Names of layers to adapt, with * for any run of characters.' })

/** The method part of a recipe, checked against the method's own declaration. */
export interface MethodSettings { method: Method; config: Record<string, unknown>; sites: string[]; san: SanConfig | null }
export interface ResolvedRecipe { recipe: Recipe; settings: MethodSettings; learningRate: number }

export function findMethod(id: string): Method {
  const method = methods.find(m => m.id === id)
  if (method) return method
  const near = nearest(id, methods.map(m => m.id))
  const known = near ? `did you mean "${near}"?` : `known methods are ${methods.map(m => m.id).join(', ')}.`
  throw new AppError('recipe-invalid', `recipe: method.type: "${id}" is not a method; ${known}`, { field: 'method.type' })
}

/** Every field of `method` but `type` and `san`. */
export const methodFields = (method: Method): z.ZodObject =>
  Object.keys(method.config.shape).length === 0 && method.family !== 'selective' ? method.config : method.config.extend({ sites: Patterns })

export function parseMethod(choice: Recipe['method']): MethodSettings {
  const { type, san, ...fields } = choice
  const method = findMethod(type)
  const { sites, ...config } = inRecipe(methodFields(method), fields, 'method') as { sites?: string[] }
  const parsedSan = san === null ? null : inRecipe(SanConfig, san, 'method.san')
  if (parsedSan && 'never' in method.san) {
    throw new AppError('recipe-invalid', `recipe: method.san: ${method.san.never} Set it to null.`, { field: 'method.san' })
  }
  return { method, config, sites: sites ?? ['*'], san: parsedSan }
}

function inRecipe<S extends z.ZodType>(schema: S, value: unknown, prefix: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { field, message } = firstIssue(result.error, schema)
  const path = field ? `${prefix}.${field}` : prefix
  throw new AppError('recipe-invalid', `recipe: ${path}: ${message}`.replace(/([^.?])$/, '$1.'), { field: path })
}

/** Any value -> a checked recipe with every default filled in; throws `recipe-invalid` naming the field. */
export function parseRecipe(draft: unknown): ResolvedRecipe {
  const recipe = parseOrThrow(Recipe, draft, 'recipe', 'recipe-invalid')
  if (recipe.step === 'eager' && recipe.precision === 'bfloat16') {
    throw new AppError('recipe-invalid', 'recipe: precision: bfloat16 needs the compiled step; set step to "auto", or precision to "auto".', { field: 'precision' })
  }
  if (recipe.step === 'eager' && recipe.train.recompute) {
    throw new AppError('recipe-invalid', 'recipe: train.recompute: recomputing activations needs the compiled step; set step to "auto", or train.recompute to false.', { field: 'train.recompute' })
  }
  const settings = parseMethod(recipe.method)
  const method = { type: settings.method.id, ...settings.config, ...('sites' in methodFields(settings.method).shape ? { sites: settings.sites } : {}), san: settings.san }
  return { recipe: { ...recipe, method }, settings, learningRate: recipe.train.learningRate ?? settings.method.learningRate }
}
