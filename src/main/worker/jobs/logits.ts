import { writeFileAtomic } from '../../store/atomic'
import { AppError } from '../../contract/errors'
import { openModel, type OpenedModel } from '../../engine/io/model'
import { encodeSafetensors, openSafetensors } from '../../engine/io/safetensors'
import { loadModel, plainForward } from '../../engine/model'
import { tf, type Tensor } from '../../engine/tf'
import { diskFiles, fileSource } from '../../store/files'
import type { JobFunction } from '../protocol'
import { basename } from 'node:path'
import { adapted } from './adapter'

const BATCH = 16

/** Raw tensors in, raw tensors out: pixel_values [B, 3, H, W] -> logits [B, C], or features [B, F] without a head. */
export const runLogits: JobFunction<'logits'> = async ({ model: path, adapter, input, output }, ctx) => {
  ctx.progress('prepare', null, null, 'Loading the model')
  const opened = await openModel(await diskFiles(path))
  const { data, shape } = await pixelValues(input, opened)
  const run = adapter === null ? await plain(opened) : await adapted(opened, await diskFiles(adapter))
  const rows: Float32Array[] = []
  const [images, , height, width] = shape
  const size = 3 * height * width
  for (let at = 0; at < images; at += BATCH) {
    if (!(await ctx.turn())) throw new AppError('cancelled', 'The computation was stopped.')
    const batch = Math.min(BATCH, images - at)
    rows.push(tf.tidy(() => run.forward(tf.tensor4d(data.subarray(at * size, (at + batch) * size), [batch, 3, height, width]).transpose([0, 2, 3, 1])).dataSync() as Float32Array))
    ctx.progress('test', at + batch, images, 'Computing')
  }
  const width2 = rows[0]!.length / Math.min(BATCH, images), all = new Float32Array(images * width2)
  let at = 0
  for (const row of rows) {
    all.set(row, at)
    at += row.length
  }
  const name = run.classes === 0 ? 'features' : 'logits'
  writeFileAtomic(output, await encodeSafetensors([{ name, dtype: 'F32', shape: [images, width2], data: all }]))
  run.dispose()
  return { output, tensors: [{ name, shape: [images, width2] }] }
}

/** A model that maps pixels [B, H, W, 3] to logits or features. */
export interface Runnable { classes: number; forward(pixels: Tensor): Tensor; dispose(): void }

async function plain(opened: OpenedModel): Promise<Runnable> {
  const model = await loadModel(opened.shape, opened.read)
  return { classes: opened.shape.classes, forward: pixels => plainForward(model, pixels), dispose: model.dispose }
}

async function pixelValues(file: string, { shape: { patch } }: OpenedModel): Promise<{ data: Float32Array; shape: [number, number, number, number] }> {
  const tensors = await openSafetensors(fileSource(file)), name = basename(file)
  const found = tensors.get('pixel_values')
  if (!found) {
    const what = tensors.has('input_ids') ? 'input_ids, which is for language models' : [...tensors.keys()].slice(0, 4).join(', ') || 'no tensor'
    throw new AppError('bad-input', `${name}: this model needs pixel_values [B, 3, H, W]; the file has ${what}.`, { field: 'input' })
  }
  const [b, c, h, w] = found.shape
  if (found.shape.length !== 4 || c !== 3 || !b || h! < patch || w! < patch) {
    throw new AppError('bad-input', `${name}: pixel_values has the shape [${found.shape.join(', ')}]; it must be [B, 3, H, W] with H and W of at least one patch (${patch}).`, { field: 'input' })
  }
  return { data: await found.read(), shape: [b, 3, h!, w!] }
}
