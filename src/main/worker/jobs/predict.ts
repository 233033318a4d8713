import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Prediction } from '../../contract/checkpoint'
import { shownNames } from '../../contract/classNames'
import { AppError } from '../../contract/errors'
import { openModel, type OpenedModel } from '../../engine/io/model'
import { loadModel, plainForward } from '../../engine/model'
import { modelInput } from '../../engine/step/compute'
import type { StepState } from '../../engine/step/step'
import { likeliest } from '../../engine/train/predictions'
import { tf } from '../../engine/tf'
import { findCheckpoint } from '../../store/checkpoints'
import { reasonOf } from '../../store/data/failures'
import { decodeForModel, viewOf } from '../../store/data/view'
import { diskFiles } from '../../store/files'
import type { JobContext, JobFunction, PredictInput } from '../protocol'
import { openSession, type Preprocessing, type Session } from './session'
import { trainedStep } from './state'
import { underOwnHead, underTrainedHead } from './untuned'

type Logits = (pixels: Uint8Array) => Promise<Float32Array>
interface Base { head: 'own' | 'run'; classes: readonly string[]; logits: Logits }
/** Something that turns one image into logits; `base` is the same before it was tuned. */
interface Predictor { classes: readonly string[]; preprocessing: Preprocessing; logits: Logits; base: Base | null; dispose(): void }

export const runPredict: JobFunction<'predict'> = async (input, ctx) => {
  const predictor = input.runFolder === null ? await ofModel(input, ctx) : await ofRun(input.runFolder, input, ctx)
  const predictions: Prediction[] = []
  for (const [i, file] of input.files.entries()) {
    if (!(await ctx.turn())) throw new AppError('cancelled', 'The prediction was stopped.')
    ctx.progress('test', i, input.files.length, basename(file))
    predictions.push(await predictFile(file, predictor, input.skipBroken))
  }
  predictor.dispose()
  return predictions
}

async function predictFile(file: string, { preprocessing, classes, logits, base }: Predictor, skipBroken: boolean): Promise<Prediction> {
  try {
    const pixels = await pixelsOf(file, preprocessing)
    const before = base && { head: base.head, top: topOf(await base.logits(pixels), base.classes) }
    return { file, top: topOf(await logits(pixels), classes), base: before, problem: null }
  } catch (thrown) {
    if (!skipBroken || !(thrown instanceof AppError)) throw thrown
    return { file, top: [], base: null, problem: thrown.message }
  }
}

async function pixelsOf(file: string, { view }: Preprocessing): Promise<Uint8Array> {
  try {
    return await decodeForModel(await readFile(file), view)
  } catch (thrown) {
    throw new AppError('bad-input', `${file} cannot be read as an image: ${reasonOf(thrown)}.`, { cause: thrown })
  }
}

async function ofRun(runFolder: string, { checkpoint, withBase }: PredictInput, ctx: JobContext): Promise<Predictor> {
  const session = await openSession(runFolder, ctx)
  const step = await trainedStep(session, findCheckpoint(runFolder, checkpoint))
  const { manifest: { resolved }, preprocessing } = session
  const base = withBase ? await baseOf(session, await step.state()) : null
  return {
    classes: shownNames(resolved), preprocessing, logits: pixels => step.predict(pixels, 1), base,
    dispose() {
      base?.dispose()
      step.dispose()
      session.model.dispose()
    },
  }
}

async function baseOf(session: Session, state: StepState): Promise<Base & { dispose(): void }> {
  const { opened, preprocessing, manifest } = session, own = opened.shape.classes > 0
  const model = own ? await underOwnHead(session) : await underTrainedHead(session, state)
  const size = preprocessing.view.imageSize
  return {
    head: own ? 'own' : 'run', classes: own ? namesOf(opened).map(apart) : shownNames(manifest.resolved), dispose: model.dispose,
    logits: async pixels => tf.tidy(() => plainForward(model, modelInput(pixels, 1, size, preprocessing)).dataSync() as Float32Array),
  }
}

const namesOf = ({ classes, shape }: OpenedModel): readonly string[] => classes ?? Array.from({ length: shape.classes }, (_, i) => String(i))
/** A backbone's bare number is not the run's class of that number. */
const apart = (name: string) => /^\d+$/.test(name) ? `class ${name}` : name

async function ofModel({ model: path }: PredictInput, ctx: JobContext): Promise<Predictor> {
  if (path === null) throw new AppError('bad-input', 'Give a run or a model to predict with.')
  ctx.progress('prepare', null, null, 'Loading the model')
  const opened = await openModel(await diskFiles(path))
  if (opened.shape.classes === 0) throw new AppError('model-unsupported', `${path} has no classification head; fine-tune it first, or predict with an export.`)
  const model = await loadModel(opened.shape, opened.read)
  const size = opened.shape.imageSize
  return {
    classes: namesOf(opened), base: null,
    preprocessing: { view: viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, size), mean: opened.mean, std: opened.std },
    logits: async pixels => tf.tidy(() => plainForward(model, modelInput(pixels, 1, size, opened)).dataSync() as Float32Array),
    dispose: model.dispose,
  }
}

function topOf(logits: Float32Array, classes: readonly string[]): Prediction['top'] {
  const { top, probabilities } = likeliest(logits)
  return top.map((c, i) => ({ label: classes[c] ?? String(c), probability: probabilities[i]! }))
}
