import { z } from 'zod'
import { Recipe } from '../contract/recipe'
import { methodCatalog } from '../engine/catalog'
import { listRecipes } from '../store/samples'
import type { Deps } from './deps'

/** Everything a recipe can be made of that is not data or weights. */
export const createCatalog = ({ resources }: Deps) => ({
  methods: methodCatalog,
  recipes: () => listRecipes(resources).map(({ id, recipe }) => ({ id, title: typeof recipe['name'] === 'string' ? recipe['name'] : id, recipe })),
  recipeSchema: () => z.toJSONSchema(Recipe, { io: 'input' }) as Record<string, unknown>,
})
