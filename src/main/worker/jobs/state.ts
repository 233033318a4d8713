import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../contract/errors'
import { parseOrThrow } from '../../contract/parse'
import { Metrics } from '../../contract/run'
import { allFinite } from '../../engine/io/dtypes'
import { openSafetensors, safetensorsChunks } from '../../engine/io/safetensors'
import { count } from '../../engine/sites'
import type { Step, StepState, Vector, Weights } from '../../engine/step/step'
import type { Progress } from '../../engine/train/loop'
import type { Tuning } from '../../engine/tuning'
import { type Checkpoint, WEIGHTS } from '../../store/checkpoints'
import { fileSource } from '../../store/files'
import { startFile } from '../../store/runFolder'
import type { Session } from './session'

const OPTIMIZER = 'optimizer.safetensors'

const SavedProgress = z.object({
  step: z.int(), best: z.object({ value: z.number(), step: z.int() }).nullable(), waited: z.int(), unmeasured: z.boolean().default(false), metrics: Metrics,
  seconds: z.number(), images: z.number(), trainSeconds: z.number(), peakMemory: z.number(),
  precision: z.enum(['float32', 'bfloat16']).default('float32'),
})
export const readProgress = ({ folder, state }: Checkpoint): Progress => parseOrThrow(SavedProgress, state.trainer, join(folder, 'state.json'), 'run-state')

/** A checkpoint's tensors under the names of the slots: what was trained, and AdamW's moments `m.` and `v.`; each is read when its turn to be written comes. */
export function stateFiles(step: Step, tuning: Tuning): Record<string, Iterable<Uint8Array>> {
  const tensors = (vector: Vector, prefix: string) => {
    const read = step.reader(vector)
    return tuning.slots.map(slot => ({ name: prefix + slot.name, dtype: 'F32' as const, shape: slot.shape, data: () => read(slot.name) }))
  }
  const averages = [...step.averages()].map(([name, data]) => ({ name, dtype: 'F32' as const, shape: [data.length], data: () => data }))
  return {
    [WEIGHTS]: safetensorsChunks([...tensors('values', ''), ...averages]),
    [OPTIMIZER]: safetensorsChunks([...tensors('m', 'm.'), ...tensors('v', 'v.')]),
  }
}

export async function readState(checkpoint: Checkpoint, tuning: Tuning): Promise<StepState> {
  const optimizer = await openSafetensors(fileSource(join(checkpoint.folder, OPTIMIZER)))
  const moment = (name: string) => gather(optimizer, tuning, name, checkpoint.folder)
  return { ...await readWeights(checkpoint, tuning), m: await moment('m.'), v: await moment('v.') }
}

/** Of a checkpoint what is needed to compute with it. */
export async function readWeights({ folder }: Checkpoint, tuning: Tuning): Promise<Weights> {
  const weights = await openSafetensors(fileSource(join(folder, WEIGHTS)))
  const buffers = await Promise.all((tuning.san?.buffers ?? []).map(async b => [b.name, await tensorIn(weights, b.name, b.width, folder)] as const))
  return { values: await gather(weights, tuning, '', folder), buffers: new Map(buffers) }
}

/** Brings a step to where its run begins: to the weights of a checkpoint, where it was made from one, with fresh moments. True where it was. */
export async function begin(step: Step, runFolder: string, tuning: Tuning): Promise<boolean> {
  const path = startFile(runFolder)
  if (!existsSync(path)) return false
  const weights = await openSafetensors(fileSource(path))
  const buffers = await Promise.all([...step.averages()].map(async ([name, data]) => [name, weights.has(name) ? await tensorIn(weights, name, data.length, path) : data] as const))
  step.restore({ values: await gather(weights, tuning, '', path), buffers: new Map(buffers) })
  return true
}

type TensorFile = Awaited<ReturnType<typeof openSafetensors>>

async function gather(file: TensorFile, tuning: Tuning, prefix: string, from: string): Promise<Float32Array> {
  const flat = new Float32Array(tuning.slots.reduce((n, slot) => n + count(slot.shape), 0))
  let at = 0
  for (const slot of tuning.slots) {
    flat.set(await tensorIn(file, prefix + slot.name, count(slot.shape), from), at)
    at += count(slot.shape)
  }
  return flat
}

/** A run as it was at a checkpoint, ready to be used. */
export async function trainedStep(session: Session, checkpoint: Checkpoint): Promise<Step> {
  const step = await session.eagerStep()
  step.restore(await readWeights(checkpoint, session.tuning))
  return step
}

async function tensorIn(file: TensorFile, name: string, size: number, from: string): Promise<Float32Array> {
  const found = file.get(name)
  if (!found || count(found.shape) !== size) throw new AppError('run-state', `The checkpoint ${from} does not fit this run's recipe: tensor ${name} is ${found ? 'of another size' : 'missing'}.`)
  const values = await found.read()
  if (!allFinite(values)) throw new AppError('run-state', `The checkpoint ${from} holds numbers that are infinite or not a number in ${name}; choose another checkpoint.`)
  return values
}
