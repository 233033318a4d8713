import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../contract/errors'
import { parseOrThrow } from '../../contract/parse'
import { Metrics } from '../../contract/run'
import { allFinite } from '../../engine/io/dtypes'
import { openSafetensors, safetensorsFile, type TensorToWrite } from '../../engine/io/safetensors'
import { count } from '../../engine/sites'
import type { Step, StepState } from '../../engine/step/step'
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

/** A checkpoint's tensors under the names of the slots: what was trained, and AdamW's moments `m.` and `v.`. The bytes are those of the state itself. */
export async function stateFiles(state: StepState, tuning: Tuning): Promise<Record<string, Uint8Array[]>> {
  const averages = [...state.buffers].map(([name, data]): TensorToWrite => ({ name, dtype: 'F32', shape: [data.length], data }))
  return {
    [WEIGHTS]: await chunksOf([...pieces(state.values, tuning, ''), ...averages]),
    [OPTIMIZER]: await chunksOf([...pieces(state.m, tuning, 'm.'), ...pieces(state.v, tuning, 'v.')]),
  }
}

async function chunksOf(tensors: readonly TensorToWrite[]): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of safetensorsFile('', tensors).chunks()) chunks.push(chunk)
  return chunks
}

function pieces(flat: Float32Array, tuning: Tuning, prefix: string): TensorToWrite[] {
  let at = 0
  return tuning.slots.map(slot => ({ name: prefix + slot.name, dtype: 'F32', shape: slot.shape, data: flat.subarray(at, at += count(slot.shape)) }))
}

export async function readState(checkpoint: Checkpoint, tuning: Tuning): Promise<StepState> {
  const weights = await openSafetensors(fileSource(join(checkpoint.folder, WEIGHTS)))
  const optimizer = await openSafetensors(fileSource(join(checkpoint.folder, OPTIMIZER)))
  const from = checkpoint.folder
  const buffers = await Promise.all((tuning.san?.buffers ?? []).map(async b => [b.name, await tensorIn(weights, b.name, b.width, from)] as const))
  return { values: await gather(weights, tuning, '', from), m: await gather(optimizer, tuning, 'm.', from), v: await gather(optimizer, tuning, 'v.', from), buffers: new Map(buffers) }
}

/** Brings a step to where its run begins: to the weights of a checkpoint, where it was made from one, with fresh moments. True where it was. */
export async function begin(step: Step, runFolder: string, tuning: Tuning): Promise<boolean> {
  const path = startFile(runFolder)
  if (!existsSync(path)) return false
  const weights = await openSafetensors(fileSource(path)), fresh = await step.state()
  const buffers = await Promise.all([...fresh.buffers].map(async ([name, data]) => [name, weights.has(name) ? await tensorIn(weights, name, data.length, path) : data] as const))
  step.restore({ ...fresh, values: await gather(weights, tuning, '', path), buffers: new Map(buffers) })
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
  step.restore(await readState(checkpoint, session.tuning))
  return step
}

async function tensorIn(file: TensorFile, name: string, size: number, from: string): Promise<Float32Array> {
  const found = file.get(name)
  if (!found || count(found.shape) !== size) throw new AppError('run-state', `The checkpoint ${from} does not fit this run's recipe: tensor ${name} is ${found ? 'of another size' : 'missing'}.`)
  const values = await found.read()
  if (!allFinite(values)) throw new AppError('run-state', `The checkpoint ${from} holds numbers that are infinite or not a number in ${name}; choose another checkpoint.`)
  return values
}
