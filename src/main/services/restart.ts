import { join } from 'node:path'
import type { RestartInput } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import type { RunManifest, RunOrigin } from '../contract/run'
import { openSafetensors } from '../engine/io/safetensors'
import { tensorName } from '../engine/sites'
import { findCheckpoint, WEIGHTS } from '../store/checkpoints'
import { fileSource } from '../store/files'
import { hashModel } from '../store/modelHash'
import type { Deps } from './deps'
import type { Planning, Prepared } from './planning'

/** A checked draft, the file of weights to begin with, and where they are from. */
interface Restart { draft: Record<string, unknown>; file: string; origin: RunOrigin }

/** New runs that begin with the weights of a checkpoint: at step 0, with fresh moments and a schedule of their own. */
export function createRestart({ store }: Deps, planning: Planning, here: readonly string[]) {
  return async ({ run, checkpoint, recipe }: RestartInput): Promise<Restart> => {
    const manifest = store.manifest(run), { folder, state: { step } } = findCheckpoint(store.folder(run), checkpoint)
    const draft = recipe ?? { ...manifest.recipe, name: `${manifest.recipe.name}, from step ${step}`.slice(0, 120) }
    const file = join(folder, WEIGHTS)
    await checkFits(await planning.prepare(draft, here), manifest, step, file)
    return { draft, file, origin: { restartOf: run, restartStep: step } }
  }
}

async function checkFits(prepared: Prepared, from: RunManifest, step: number, file: string): Promise<void> {
  const refuse = (why: string, field: string) => new AppError('recipe-invalid', `recipe: ${field}: the weights of step ${step} of ${from.id} do not fit: ${why}. Keep what they were trained with, or start without them.`, { field })
  const { classes, backboneHash } = from.resolved
  if (JSON.stringify(prepared.facts.classes) !== JSON.stringify(classes)) throw refuse('the data has other classes', 'data.from')
  if (await hashModel(prepared.backbone.path) !== backboneHash) throw refuse('the backbone is another', 'backbone.from')
  const weights = await openSafetensors(fileSource(file))
  for (const { site, tensors } of prepared.plan.trainable.sites) {
    for (const { name, shape } of tensors) {
      const full = tensorName(site, name), found = weights.get(full)
      if (found && JSON.stringify(found.shape) === JSON.stringify(shape)) continue
      throw refuse(`${full} is ${found ? `[${found.shape.join(', ')}] there and [${shape.join(', ')}] here` : 'not among them'}`, 'method')
    }
  }
  const wanted = new Set(prepared.plan.trainable.sites.flatMap(({ site, tensors }) => tensors.map(({ name }) => tensorName(site, name))))
  const extra = [...weights.keys()].find(name => !wanted.has(name) && !name.endsWith('.san_gamma'))
  if (extra !== undefined) throw refuse(`${extra} would not be trained`, 'method')
}
