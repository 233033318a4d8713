import { basename } from 'node:path'
import type { RunManifest } from '../../contract/run'
import { openModel, type OpenedModel } from '../../engine/io/model'
import { backboneOf } from '../../engine/backbones/index'
import { initialValues, loadModel, replacedTensors, type Model, type ReadTensor } from '../../engine/model'
import { shapeForRun } from '../../engine/plan'
import { parseRecipe, type ResolvedRecipe } from '../../engine/recipe'
import { createCompiledStep } from '../../engine/step/compiled'
import type { Sizes } from '../../engine/step/trace'
import type { StepOptions } from '../../engine/step/compute'
import { createEagerStep } from '../../engine/step/eager'
import type { Precision } from '../../contract/rates'
import type { Step } from '../../engine/step/step'
import { createTuning, type Tuning } from '../../engine/tuning'
import { diskFiles } from '../../store/files'
import { requireManifest } from '../../store/runFolder'
import { viewOf, type View } from '../../store/data/view'
import type { JobContext } from '../protocol'
import { withModelFolder } from './modelFolder'

/** How pixels become what the model sees. */
export interface Preprocessing { view: View; mean: readonly number[]; std: readonly number[] }

/** A run's model in memory. */
export interface Session {
  manifest: RunManifest
  resolved: ResolvedRecipe
  opened: OpenedModel
  tuning: Tuning
  model: Model
  preprocessing: Preprocessing
  /** the run's starting values behind a step that runs operation by operation */
  eagerStep(): Promise<Step>
  /** the same as one compiled call, for batches of these sizes; it takes over the model's tensors */
  compiledStep(sizes: Sizes, precision: Precision, from: number): Promise<Step>
}

export async function openSession(runFolder: string, ctx: JobContext): Promise<Session> {
  const manifest = requireManifest(runFolder, basename(runFolder))
  const resolved = parseRecipe(manifest.recipe)
  ctx.progress('prepare', null, null, 'Loading the backbone')
  const opened = await openModel(await diskFiles(manifest.resolved.backbonePath))
  const shape = shapeForRun(opened.shape, resolved, manifest.resolved.classes.length)
  const { settings, recipe } = resolved
  const tuning = createTuning(backboneOf(shape).sites(shape), settings.method, settings.config, settings.san, settings.sites)
  const model = await loadModel(shape, opened.read, replacedTensors(tuning))
  const preprocessing = preprocessingOf(resolved, opened, shape.imageSize)
  const options = (precision: Precision, from: number): StepOptions => ({ seed: recipe.seed, precision, from, train: recipe.train, ...preprocessing })
  const start = () => initialValues(tuning, recipe.seed, opened.read)
  return {
    manifest, resolved, opened, tuning, model, preprocessing,
    eagerStep: async () => createEagerStep(model, tuning, await start(), options('float32', 0)),
    compiledStep: async (sizes, precision, from) => createCompiledStep(model, tuning, await start(), options(precision, from), sizes, withModelFolder),
  }
}

function preprocessingOf({ recipe }: ResolvedRecipe, opened: OpenedModel, imageSize: number): Preprocessing {
  const { normalize } = recipe.data
  const { mean, std } = normalize === 'auto' ? opened : normalize
  return { view: viewOf(recipe.data, imageSize), mean, std }
}

/** The backbone's tensors with a run's trained head in place of its own. */
export const withHead = (read: ReadTensor, head: ReadonlyMap<string, Float32Array>): ReadTensor =>
  async name => head.get(name) ?? read(name)
