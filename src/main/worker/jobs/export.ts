import { basename } from 'node:path'
import type { ExportReport } from '../../contract/checkpoint'
import { shownNames } from '../../contract/classNames'
import { AppError } from '../../contract/errors'
import { exportMerged } from '../../engine/io/export'
import { jsonFile, type OutFile } from '../../engine/io/bytes'
import { openModel } from '../../engine/io/model'
import { mergedTensors } from '../../engine/merge'
import { loadModel, plainForward } from '../../engine/model'
import { modelInput } from '../../engine/step/compute'
import type { StepState } from '../../engine/step/step'
import { tf } from '../../engine/tf'
import { buildFolderAsync } from '../../store/atomic'
import { findCheckpoint } from '../../store/checkpoints'
import { diskFiles, writeFiles } from '../../store/files'
import type { JobFunction } from '../protocol'
import { adapted, adapterFiles } from './adapter'
import { openSession, type Session } from './session'
import { trainedStep } from './state'
import { underTrainedHead } from './untuned'
import { samplesFor, verify, type Samples } from './verify'

/** What is exported: files, and the function they compute once they lie in a folder. */
interface Parcel { files: OutFile[]; format: string; python: string; logits(folder: string, samples: Samples): Promise<Float32Array> }

export const runExport: JobFunction<'export'> = async ({ runFolder, workspace, checkpoint, as, out }, ctx) => {
  const session = await openSession(runFolder, ctx)
  const at = findCheckpoint(runFolder, checkpoint)
  const step = await trainedStep(session, at)
  try {
    const state = await step.state()
    const samples = await samplesFor(session, workspace, ctx)
    ctx.progress('save', null, null, as === 'merged' ? 'Merging' : 'Writing the adapter')
    const parcel = as === 'merged' ? await mergedParcel(session, state) : await adapterParcel(session, state)
    const live = await logitsInParts(samples, (pixels, images) => step.predict(pixels, images))
    const base = await untuned(session, state, samples)
    const python = parcel.python.replaceAll('FOLDER', out)
    let report: ExportReport | null = null
    await buildFolderAsync(out, async folder => {
      await writeFiles(folder, parcel.files)
      ctx.progress('test', null, null, 'Verifying the export')
      const verification = verify(live, await parcel.logits(folder, samples), base, samples)
      if (!verification.passed) throw new AppError('verification-failed', `The export was not kept: ${verification.sentence}`)
      await writeFiles(folder, [jsonFile('verification.json', verification)])
      if (!(await ctx.turn())) throw new AppError('cancelled', 'The export was stopped; nothing is left of it.')
      const files = parcel.files.map(f => f.name)
      report = { run: basename(runFolder), step: at.state.step, as, format: parcel.format, folder: out, files, sizeBytes: parcel.files.reduce((n, f) => n + f.size, 0), verification, python }
    })
    return report!
  } finally {
    step.dispose()
    session.model.dispose()
  }
}

async function mergedParcel({ model, tuning, opened, resolved, preprocessing, manifest }: Session, state: StepState): Promise<Parcel> {
  const buffers = new Map([...state.buffers].map(([name, data]) => [name, tf.tensor1d(data)]))
  const { tensors, shape } = await mergedTensors(model, tuning, state.values, buffers)
  tf.dispose([...buffers.values()])
  const { mean, std } = preprocessing, { resize, interpolation, cropFraction } = resolved.recipe.data
  const exported = await exportMerged(opened, shape, tensors, { classes: shownNames(manifest.resolved), preprocessing: { mean, std, resize, interpolation, cropFraction } })
  return {
    ...exported,
    async logits(folder, samples) {
      const again = await openModel(await diskFiles(folder))
      const loaded = await loadModel({ ...again.shape, imageSize: samples.size }, again.read)
      const logits = await logitsInParts(samples, async (pixels, images) => tf.tidy(() => plainForward(loaded, modelInput(pixels, images, samples.size, preprocessing)).dataSync() as Float32Array))
      loaded.dispose()
      return logits
    },
  }
}

async function adapterParcel(session: Session, state: StepState): Promise<Parcel> {
  if (session.tuning.san?.config.scope === 'sample') {
    throw new AppError('not-mergeable', 'This run scales each image by its own gain (method.san.scope "sample"), which no file of fixed scales can hold; train with scope "batch" to export.')
  }
  const { opened, preprocessing } = session
  const parcel = await adapterFiles(session, state)
  return {
    ...parcel,
    async logits(folder, samples) {
      const run = await adapted(opened, await diskFiles(folder), samples.size)
      const logits = await logitsInParts(samples, async (pixels, images) => tf.tidy(() => run.forward(modelInput(pixels, images, samples.size, preprocessing)).dataSync() as Float32Array))
      run.dispose()
      return logits
    },
  }
}

/** The frozen backbone under the trained head: what the export must differ from. */
async function untuned(session: Session, state: StepState, samples: Samples): Promise<Float32Array> {
  const { preprocessing } = session, model = await underTrainedHead(session, state)
  const logits = await logitsInParts(samples, async (pixels, images) => tf.tidy(() => plainForward(model, modelInput(pixels, images, samples.size, preprocessing)).dataSync() as Float32Array))
  model.dispose()
  return logits
}

const PART = 16

async function logitsInParts(samples: Samples, forward: (pixels: Uint8Array, images: number) => Promise<Float32Array>): Promise<Float32Array> {
  const bytes = samples.size ** 2 * 3, parts: Float32Array[] = []
  for (let at = 0; at < samples.images; at += PART) {
    const images = Math.min(PART, samples.images - at)
    parts.push(await forward(samples.pixels.subarray(at * bytes, (at + images) * bytes), images))
  }
  const all = new Float32Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
