import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../contract/errors'
import { Metrics } from '../../contract/run'
import { encodeSafetensors, openSafetensors, type TensorToWrite } from '../../engine/io/safetensors'
import { count } from '../../engine/sites'
import type { Step, StepState } from '../../engine/step/step'
import type { Progress } from '../../engine/train/loop'
import type { Tuning } from '../../engine/tuning'
import type { Checkpoint } from '../../store/checkpoints'
import { fileSource } from '../../store/files'
import type { Session } from './session'

const WEIGHTS = 'trained.safetensors', OPTIMIZER = 'optimizer.safetensors'

const SavedProgress = z.object({
  step: z.int(), best: z.object({ value: z.number(), step: z.int() }).nullable(), waited: z.int(), unmeasured: z.boolean().default(false), metrics: Metrics,
  seconds: z.number(), images: z.number(), trainSeconds: z.number(), peakMemory: z.number(),
  precision: z.enum(['float32', 'bfloat16']).default('float32'),
})
export const readProgress = (checkpoint: Checkpoint): Progress => SavedProgress.parse(checkpoint.state.trainer)

/** A checkpoint's tensors under the names of the slots: what was trained, and AdamW's moments `m.` and `v.`. */
export async function stateFiles(state: StepState, tuning: Tuning): Promise<Record<string, Uint8Array>> {
  const averages = [...state.buffers].map(([name, data]): TensorToWrite => ({ name, dtype: 'F32', shape: [data.length], data }))
  return {
    [WEIGHTS]: await encodeSafetensors([...pieces(state.values, tuning, ''), ...averages]),
    [OPTIMIZER]: await encodeSafetensors([...pieces(state.m, tuning, 'm.'), ...pieces(state.v, tuning, 'v.')]),
  }
}

function pieces(flat: Float32Array, tuning: Tuning, prefix: string): TensorToWrite[] {
  let at = 0
  return tuning.slots.map(slot => ({ name: prefix + slot.name, dtype: 'F32', shape: slot.shape, data: flat.subarray(at, at += count(slot.shape)) }))
}

export async function readState(checkpoint: Checkpoint, tuning: Tuning): Promise<StepState> {
  const weights = await openSafetensors(fileSource(join(checkpoint.folder, WEIGHTS)))
  const optimizer = await openSafetensors(fileSource(join(checkpoint.folder, OPTIMIZER)))
  const total = tuning.slots.reduce((n, slot) => n + count(slot.shape), 0)
  const gather = async (file: typeof weights, prefix: string): Promise<Float32Array> => {
    const flat = new Float32Array(total)
    let at = 0
    for (const slot of tuning.slots) {
      flat.set(await tensorIn(file, prefix + slot.name, count(slot.shape), checkpoint), at)
      at += count(slot.shape)
    }
    return flat
  }
  const buffers = await Promise.all((tuning.san?.buffers ?? []).map(async b => [b.name, await tensorIn(weights, b.name, b.width, checkpoint)] as const))
  return { values: await gather(weights, ''), m: await gather(optimizer, 'm.'), v: await gather(optimizer, 'v.'), buffers: new Map(buffers) }
}

/** A run as it was at a checkpoint, ready to be used. */
export async function trainedStep(session: Session, checkpoint: Checkpoint): Promise<Step> {
  const step = await session.eagerStep()
  step.restore(await readState(checkpoint, session.tuning))
  return step
}

async function tensorIn(file: Awaited<ReturnType<typeof openSafetensors>>, name: string, size: number, checkpoint: Checkpoint): Promise<Float32Array> {
  const found = file.get(name)
  if (!found || count(found.shape) !== size) throw new AppError('run-state', `The checkpoint ${checkpoint.folder} does not fit this run's recipe: tensor ${name} is ${found ? 'of another size' : 'missing'}.`)
  return found.read()
}
