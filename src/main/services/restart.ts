import { join } from 'node:path'
import type { CheckpointChoice } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import type { Notice, PlanReport } from '../contract/plan'
import type { RunManifest, RunOrigin } from '../contract/run'
import { openSafetensors } from '../engine/io/safetensors'
import { tensorName } from '../engine/sites'
import { findCheckpoint, WEIGHTS } from '../store/checkpoints'
import { fileSource } from '../store/files'
import { hashModel } from '../store/modelHash'
import type { Deps } from './deps'
import { type Planning, type Prepared, refusal, type Surveyed } from './planning'

/** A checkpoint to begin with; a draft that is null stands for the recipe of its run. */
export interface RestartRequest { run: string; checkpoint: CheckpointChoice; recipe: Record<string, unknown> | null }
interface Weights { from: RunManifest; step: number; file: string }
/** A checked draft, the file of weights to begin with, and where they are from. */
interface Restart { draft: Record<string, unknown>; prepared: Prepared; file: string; origin: RunOrigin }

/** New runs that begin with the weights of a checkpoint: at step 0, with fresh moments and a schedule of their own. */
export function createRestart({ store }: Deps, planning: Planning) {
  function weightsOf(run: string, checkpoint: CheckpointChoice): Weights {
    const from = store.manifest(run), { folder, state: { step } } = findCheckpoint(store.folder(run), checkpoint)
    return { from, step, file: join(folder, WEIGHTS) }
  }
  const draftFor = ({ from, step }: Weights, recipe: RestartRequest['recipe']) => recipe ?? { ...from.recipe, name: `${from.recipe.name}, from step ${step}`.slice(0, 120) }

  return {
    /** The plan of a draft, and whether the weights fit it as far as it is written. */
    async plan({ run, checkpoint, recipe }: RestartRequest, bases: readonly string[]): Promise<PlanReport> {
      const weights = noted(() => weightsOf(run, checkpoint))
      if ('level' in weights) return withNotice(await planning.plan(recipe, bases), weights)
      const surveyed = await planning.survey(draftFor(weights, recipe), bases)
      return withNotice(surveyed.plan, await misfit(weights, surveyed))
    },
    /** Refuses what does not fit. */
    async prepare({ run, checkpoint, recipe }: RestartRequest, bases: readonly string[]): Promise<Restart> {
      const weights = weightsOf(run, checkpoint), draft = draftFor(weights, recipe)
      const prepared = await planning.prepare(draft, bases)
      const wrong = await misfit(weights, prepared)
      if (wrong) throw refusal(wrong)
      return { draft, prepared, file: weights.file, origin: { restartOf: run, restartStep: weights.step } }
    },
  }
}

export type Restarts = ReturnType<typeof createRestart>

const withNotice = (plan: PlanReport, notice: Notice | null): PlanReport => notice ? { ...plan, notices: [notice, ...plan.notices] } : plan

/** A run or a checkpoint that is gone is wrong with the weights, and with no field of the recipe. */
function noted(find: () => Weights): Weights | Notice {
  try {
    return find()
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return { level: 'error', field: 'weights', message: thrown.message }
  }
}

/** Why the weights do not fit, under the field of the recipe that is not as it was; null where they do or where too little is known. */
async function misfit({ from, step, file }: Weights, { backbone, facts, plan }: Surveyed): Promise<Notice | null> {
  const note = (why: string, field: string): Notice =>
    ({ level: 'error', field, message: `The weights of step ${step} of ${from.id} do not fit: ${why}. Keep what they were trained with, or start without them.` })
  const { classes, backboneHash } = from.resolved
  if (facts && JSON.stringify(facts.classes) !== JSON.stringify(classes)) return note('the data has other classes', 'data.from')
  if (backbone && await hashModel(backbone.path) !== backboneHash) return note('the backbone is another', 'backbone.from')
  if (!facts || !backbone || plan.notices.some(({ level }) => level === 'error')) return null
  const why = await tensorMisfit(plan, file)
  return why === null ? null : note(`they come from ${from.recipe.method.type}, and ${why}`, 'method')
}

async function tensorMisfit(plan: PlanReport, file: string): Promise<string | null> {
  const weights = await openSafetensors(fileSource(file))
  const wanted = new Map(plan.trainable.sites.flatMap(({ site, tensors }) => tensors.map(({ name, shape }) => [tensorName(site, name), shape] as const)))
  for (const [name, shape] of wanted) {
    const found = weights.get(name)
    if (!found) return `${name} is not among them`
    if (JSON.stringify(found.shape) !== JSON.stringify(shape)) return `${name} is [${found.shape.join(', ')}] there and [${shape.join(', ')}] here`
  }
  const extra = [...weights.keys()].find(name => !wanted.has(name) && !name.endsWith('.san_gamma'))
  return extra === undefined ? null : `${extra} would not be trained`
}
