import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { promisify } from 'node:util'

const execFileAsync = promisify(execFile)

/** Bytes of memory that are in use and that there are, as the container or the machine has them. */
export function memory(): { used: number; total: number } {
  const group = cgroupMemory()
  const total = totalmem()
  if (group && group.total < total) return group
  return { used: total - available(), total }
}

function cgroupMemory(): { used: number; total: number } | null {
  try {
    const total = Number(readFileSync('/sys/fs/cgroup/memory.max', 'utf8'))
    const inactive = Number(/^inactive_file (\d+)$/m.exec(readFileSync('/sys/fs/cgroup/memory.stat', 'utf8'))?.[1] ?? 0)
    const used = Number(readFileSync('/sys/fs/cgroup/memory.current', 'utf8')) - inactive
    return Number.isFinite(total) ? { used: Math.max(0, used), total } : null
  } catch {
    return null
  }
}

/** `freemem` counts the file cache as used on Linux. */
function available(): number {
  try {
    return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024 || freemem()
  } catch {
    return freemem()
  }
}

export function diskFree(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

export const cpuName = (): string => `${cpus()[0]?.model.replace(/\((R|TM)\)/gi, ' ').trim().replace(/\s+/g, ' ') || 'CPU'}, ${availableParallelism()} cores`

/** Names of the NVIDIA GPUs that the driver shows; the device files tell quickly that there is none. */
export async function gpuNames(): Promise<string[]> {
  if (process.platform === 'linux' && !['/dev/nvidiactl', '/dev/dxg'].some(file => existsSync(file))) return []
  try {
    const { stdout } = await execFileAsync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { timeout: 5000 })
    return stdout.trim().split('\n').map(name => name.trim()).filter(name => name !== '')
  } catch {
    return []
  }
}
