import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AppError } from '../contract/errors'
import { nearest } from '../contract/parse'
import type { Services } from '../services/index'
import { parseJson } from './jsonText'

/** A recipe as it was written, and the folders that its relative paths are looked for in. */
export interface RecipeText { draft: Record<string, unknown>; bases: string[] }

/** A name that the catalog lists, or a file. */
export function readRecipe(services: Services, named: string): RecipeText {
  const here = process.cwd()
  const listed = services.catalog.recipes()
  const known = listed.find(({ id }) => id === named)
  if (known) return { draft: known.recipe, bases: [here] }
  const path = resolve(named)
  if (!existsSync(path)) throw unknownRecipe(named, listed.map(({ id }) => id))
  if (!statSync(path).isFile()) throw new AppError('bad-input', `${named} is a folder; a recipe is a JSON file.`)
  const draft = parseJson(readFileSync(path, 'utf8'), named)
  if (typeof draft !== 'object' || draft === null || Array.isArray(draft)) throw new AppError('recipe-invalid', `${named}: a recipe is a JSON object.`)
  return { draft: draft as Record<string, unknown>, bases: [dirname(path), here] }
}

function unknownRecipe(named: string, known: readonly string[]): AppError {
  const near = nearest(named, known)
  const hint = near ? `Did you mean "${near}"?` : `"engram catalog recipes" lists the built-in ones${known.length > 0 ? `, such as ${known[0]}` : ''}.`
  return new AppError('not-found', `${named} is neither a file nor a built-in recipe. ${hint}`)
}
