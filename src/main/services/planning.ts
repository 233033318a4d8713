import { AppError } from '../contract/errors'
import type { Notice, PlanReport } from '../contract/plan'
import { makeSplits } from '../engine/data/split'
import { planRecipe } from '../engine/plan'
import { parseRecipe, type ResolvedRecipe } from '../engine/recipe'
import { fasterPrecision, type Precision } from '../contract/rates'
import { readRates } from '../store/machineRates'
import type { DatasetFacts } from '../store/data/types'
import type { Datasets } from './datasets'
import type { Deps } from './deps'
import { find, type Found, type Kind } from './library'
import type { Models } from './models'

/** A recipe with everything it names found and opened. */
export interface Prepared { resolved: ResolvedRecipe; backbone: Found; data: Found; facts: DatasetFacts; /** of its classes */ names: string[]; plan: PlanReport }
/** A draft as far as what it names was found. */
export interface Surveyed { backbone: Found | null; facts: DatasetFacts | null; plan: PlanReport }

type Looked<T> = { found: Found; value: T; problem: null } | { found: null; value: null; problem: Notice | null }

/** Plans drafts, and prepares recipes for training. `bases` are the folders that relative paths are looked for in. */
export function createPlanning(deps: Deps, models: Models, datasets: Datasets) {
  async function look<T>(kind: Kind, draft: unknown, bases: readonly string[], open: (path: string) => Promise<T>): Promise<Looked<T>> {
    const field = kind === 'backbones' ? 'backbone.from' : 'data.from'
    const from = textAt(draft, field)
    const none = (message: string): Looked<T> => ({ found: null, value: null, problem: { level: 'error', field, message } })
    if (from === undefined) return none(kind === 'backbones' ? 'Choose a backbone.' : 'Choose a dataset.')
    if (from === null) return { found: null, value: null, problem: null }
    try {
      const found = find(deps, kind, from, bases)
      return { found, value: await open(found.path), problem: null }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      return none(thrown.message)
    }
  }

  /** What `auto` takes, as far as trainings in this workspace have shown. */
  function fasterHere(): Precision {
    const found = Object.values(readRates(deps.workspace.cache)).map(fasterPrecision)
    return found.length > 0 && found.every(precision => precision === 'bfloat16') ? 'bfloat16' : 'float32'
  }

  async function survey(draft: unknown, bases: readonly string[]): Promise<Surveyed> {
    const [model, data] = await Promise.all([look('backbones', draft, bases, models.inspectPath), look('data', draft, bases, datasets.facts)])
    const split = data.value ? countTraining(draft, data.value) : null
    const report = planRecipe(draft, { shape: model.value?.shape ?? null, classes: data.value?.classes.length ?? null, trainImages: split?.images ?? null, faster: fasterHere() })
    const problems = [model.problem, data.problem, split?.problem ?? null].filter(problem => problem !== null)
    return { backbone: model.found, facts: data.value, plan: { ...report, notices: [...problems, ...report.notices] } }
  }
  const plan = async (draft: unknown, bases: readonly string[]): Promise<PlanReport> => (await survey(draft, bases)).plan

  return {
    plan, survey,
    /** Everything a run needs, or the first thing that is wrong. */
    async prepare(draft: unknown, bases: readonly string[]): Promise<Prepared> {
      const resolved = parseRecipe(draft)
      const report = await plan(draft, bases)
      const wrong = report.notices.find(({ level }) => level === 'error')
      if (wrong) throw refusal(wrong)
      const backbone = find(deps, 'backbones', resolved.recipe.backbone.from, bases)
      const data = find(deps, 'data', resolved.recipe.data.from, bases)
      const facts = await datasets.open(data.path)
      return { resolved, backbone, data, facts, names: deps.classNames.of(data.path, facts.classes), plan: report }
    },
  }
}
export type Planning = ReturnType<typeof createPlanning>

/** What a plan notes as wrong, as the error of a start. */
export const refusal = ({ field, message }: Notice): AppError => new AppError('recipe-invalid', `recipe: ${field ? `${field}: ` : ''}${message}`, field ? { field } : {})

/** undefined: nothing chosen yet. null: something else than text, of which the recipe's own check speaks. */
function textAt(draft: unknown, field: string): string | null | undefined {
  let at: unknown = draft
  for (const part of field.split('.')) at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined
  if (at === undefined || at === '') return undefined
  return typeof at === 'string' ? at : null
}

function countTraining(draft: unknown, facts: DatasetFacts): { images: number | null; problem: Notice | null } {
  try {
    return { images: makeSplits(facts, parseRecipe(draft).recipe.data).train.length, problem: null }
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    // What is wrong with the recipe itself, the plan says.
    const own = thrown.field?.startsWith('data.') === true && !thrown.message.startsWith('recipe:')
    return { images: null, problem: own ? { level: 'error', field: thrown.field ?? null, message: thrown.message } : null }
  }
}
