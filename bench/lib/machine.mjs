import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { execFileSync } from 'node:child_process'

const FLAGS = ['avx2', 'avx512f', 'avx512_bf16', 'avx512_vnni', 'amx_bf16']

/** What the figures depend on besides the programs. */
export function describeMachine(device) {
  return {
    processor: cpus()[0].model.trim(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    flags: FLAGS.filter((flag) => processorFlags().includes(flag)),
    ...(device === 'gpu' ? { gpu: gpuName() } : {}),
  }
}

/** "Intel(R) Xeon(R) Processor @ 2.10GHz", 2 cores -> intel-xeon-2-cores, for a file name. */
export function machineSlug({ processor, cores, gpu = '' }) {
  const words = `${processor} ${cores} cores ${gpu}`.replace(/\(\w+\)|@.*?GHz|\b(CPU|Processor|\d+-Core)\b/gi, ' ')
  return words.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')
}

function processorFlags() {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8').match(/^flags\s*:(.*)$/m)?.[1].trim().split(' ') ?? []
  } catch {
    return []
  }
}

function gpuName() {
  return execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' }).trim().split('\n')[0]
}
