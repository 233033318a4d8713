import { cpuName, gpuNames } from './machine'

/** A device that trains one run at a time, and what makes a trainer use it and no other. */
export interface Lane { id: string; device: string; environment: Record<string, string> }

/** One lane per GPU that may be used, and one for the CPU. */
export async function findLanes(env: NodeJS.ProcessEnv = process.env, names: () => Promise<string[]> = gpuNames): Promise<Lane[]> {
  const gpus = env['ENGRAM_DEVICE'] === 'cpu' ? [] : visible(await names(), env['CUDA_VISIBLE_DEVICES'])
  const lanes = gpus.map(({ token, name }, index) => ({ id: `gpu${index}`, device: name, environment: { CUDA_VISIBLE_DEVICES: token } }))
  return [...lanes, { id: 'cpu', device: cpuName(), environment: gpus.length > 0 ? { CUDA_VISIBLE_DEVICES: '' } : {} }]
}

/** CUDA counts only the devices that CUDA_VISIBLE_DEVICES names, by number or by UUID; nvidia-smi counts all. */
function visible(names: readonly string[], chosen: string | undefined): { token: string; name: string }[] {
  if (names.length === 0) return []
  const tokens = chosen === undefined ? names.map((_, index) => String(index)) : chosen.split(',').map(token => token.trim()).filter(token => token !== '' && token !== '-1')
  return tokens.map((token, index) => ({ token, name: names[Number(token)] ?? names[index] ?? 'GPU' }))
}
