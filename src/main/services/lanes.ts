import { type LaneHolder, laneHolder, laneLockFile } from '../store/laneLock'
import type { Deps } from './deps'
import { cpuName, gpuNames } from './machine'

/** A device that trains one run at a time, and what makes a trainer use it and no other. `lock` is its name among programs. */
export interface Lane { id: string; device: string; lock: string; environment: Record<string, string> }
/** A lane as a trainer is given it. */
export type Place = Pick<Lane, 'id' | 'environment' | 'lock'>

/** One lane per GPU that may be used, and one for the CPU. */
export async function findLanes(env: NodeJS.ProcessEnv = process.env, names: () => Promise<string[]> = gpuNames): Promise<Lane[]> {
  const gpus = env['ENGRAM_DEVICE'] === 'cpu' ? [] : visible(await names(), env['CUDA_VISIBLE_DEVICES'])
  const lanes = gpus.map(({ token, name }, index) => ({ id: `gpu${index}`, device: name, lock: `gpu-${token.replace(/[^\w-]/g, '_')}`, environment: { CUDA_VISIBLE_DEVICES: token } }))
  return [...lanes, { id: 'cpu', device: cpuName(), lock: 'cpu', environment: gpus.length > 0 ? { CUDA_VISIBLE_DEVICES: '' } : {} }]
}

/** CUDA counts only the devices that CUDA_VISIBLE_DEVICES names, by number or by UUID; nvidia-smi counts all. */
function visible(names: readonly string[], chosen: string | undefined): { token: string; name: string }[] {
  if (names.length === 0) return []
  const tokens = chosen === undefined ? names.map((_, index) => String(index)) : chosen.split(',').map(token => token.trim()).filter(token => token !== '' && token !== '-1')
  return tokens.map((token, index) => ({ token, name: names[Number(token)] ?? names[index] ?? 'GPU' }))
}

export interface Lanes {
  all(): Promise<readonly Lane[]>
  /** Who has a lane's device now, in whichever program. */
  holder(lane: Lane): LaneHolder | null
  placeOf(lane: Lane): Place
  /** For a run that waits in no queue: a GPU that is free, else the first; the CPU where there is no GPU. */
  forTraining(): Promise<Place>
  /** An evaluation takes its turn on a GPU, whose memory a training needs whole; on a CPU it runs beside. */
  forEvaluation(): Promise<Place | null>
  /** Small jobs never wait: they keep off GPUs that are taken. */
  forSmall(): Promise<Readonly<Record<string, string>>>
}

export function createLanes({ workspace }: Pick<Deps, 'workspace'>, seek: () => Promise<Lane[]>): Lanes {
  let sought: Promise<Lane[]> | undefined
  const all = () => sought ??= seek()
  const placeOf = ({ id, environment, lock }: Lane): Place => ({ id, environment, lock: laneLockFile(workspace, lock) })
  const holder = (lane: Lane) => laneHolder(placeOf(lane).lock)
  const gpus = async () => (await all()).filter(({ id }) => id !== 'cpu')
  async function bestGpu(): Promise<Place | null> {
    const found = await gpus()
    const best = found.find(lane => !holder(lane)) ?? found[0]
    return best ? placeOf(best) : null
  }
  return {
    all, holder, placeOf,
    forTraining: async () => await bestGpu() ?? placeOf((await all())[0]!),
    forEvaluation: bestGpu,
    async forSmall() {
      const lanes = await all()
      return (lanes.find(lane => lane.id === 'cpu' || !holder(lane)) ?? lanes[0]!).environment
    },
  }
}
