import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors'
import type { DoctorCheck, DoctorReport, SystemStatus } from '../contract/system'
import type { z } from 'zod'
import { diskError } from '../store/atomic'
import { cacheReport } from '../store/data/cache/room'
import { listSamples } from '../store/samples'
import type { Deps } from './deps'
import { everySecond } from './everySecond'
import { cpuName, diskFree, gpuNames, memory } from './machine'

type Check = z.infer<typeof DoctorCheck>

const GIGABYTE = 1e9
const NODE_WANTED = [20, 19] as const

/** The machine and the installation. */
export function createSystem(deps: Deps) {
  const { workspace, version } = deps
  let device: Promise<string> | undefined
  const deviceName = () => device ??= gpuNames().then(names => names[0] ?? cpuName())

  return {
    async doctor(): Promise<DoctorReport> {
      const [runtime, gpus, cache] = await Promise.all([checkRuntime(deps), gpuNames(), checkCache(deps)])
      const checks = [checkNode(), runtime.check, checkGpu(gpus, runtime.device), checkWorkspace(deps), checkDisk(deps), cache, checkSamples(deps)]
      return { ok: checks.every(({ state }) => state !== 'missing'), workspace: workspace.root, checks }
    },
    status(_: void, emit: (events: SystemStatus[]) => void): () => void {
      const tell = async () => {
        const { used, total } = memory()
        emit([{ device: await deviceName(), memoryUsed: used, memoryTotal: total, diskFree: diskFree(workspace.root), version, workspace: workspace.root }])
      }
      const turn = () => void tell().catch(() => { /* the workspace's disk is away; the next turn may find it */ })
      turn()
      return everySecond(turn)
    },
  }
}

const check = (id: string, title: string, state: Check['state'], detail: string, mend: string | null = null): Check => ({ id, title, state, detail, mend })
const amount = (bytes: number) => bytes < GIGABYTE ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / GIGABYTE).toFixed(bytes < 10 * GIGABYTE ? 1 : 0)} GB`

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  // Electron brings its own Node; only the one that people installed has to be new enough.
  if (process.versions['electron']) return check('node', 'Node', 'ok', `${process.versions.node} inside Electron ${process.versions['electron']}`)
  const enough = major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1])
  return check('node', 'Node', enough ? 'ok' : 'missing', `${process.versions.node} on ${process.platform} ${process.arch}`, enough ? null : `install Node ${NODE_WANTED.join('.')} or newer`)
}

async function checkRuntime({ host }: Deps): Promise<{ check: Check; device: string | null }> {
  try {
    const { device } = await host.probe()
    return { check: check('runtime', 'TensorFlow', 'ok', `loads and computes on ${device}`), device }
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return { check: check('runtime', 'TensorFlow', 'missing', thrown.message, 'rm -rf "${ENGRAM_CACHE:-$HOME/.cache/engram}/runtime" && npm run --silent engram -- doctor'), device: null }
  }
}

function checkGpu(names: readonly string[], device: string | null): Check {
  if (names.length === 0) return check('gpu', 'GPU', 'ok', `no NVIDIA GPU here; training runs on the CPU (${cpuName()})`)
  if (device === null || device.startsWith('CPU')) return check('gpu', 'GPU', 'warning', `${names.join(', ')} is here, but TensorFlow computes on the CPU`, 'ENGRAM_DEVICE=gpu npm run --silent engram -- doctor')
  return check('gpu', 'GPU', 'ok', names.join(', '))
}

function checkWorkspace({ workspace }: Deps): Check {
  const probe = join(workspace.root, `.probe-${process.pid}`)
  try {
    try {
      writeFileSync(probe, 'x')
    } finally {
      rmSync(probe, { force: true })
    }
    return check('workspace', 'Workspace', 'ok', workspace.root)
  } catch (thrown) {
    const error = diskError(`write into ${workspace.root}`, thrown)
    const mend = ['EACCES', 'EPERM'].includes(String((thrown as NodeJS.ErrnoException).code)) ? `chmod u+rwx "${workspace.root}"` : undefined
    return check('workspace', 'Workspace', 'missing', error instanceof Error ? error.message : String(error), mend)
  }
}

function checkDisk({ workspace, settings }: Deps): Check {
  const free = diskFree(workspace.root)
  const limit = settings.get().cacheLimitBytes
  if (free < 2 * GIGABYTE) return check('disk', 'Disk', 'warning', `${amount(free)} free in the workspace; checkpoints and the image cache may not fit`, 'free some space, or choose another workspace with --workspace')
  return check('disk', 'Disk', 'ok', `${amount(free)} free; the image cache takes at most ${amount(limit)}`)
}

async function checkCache({ workspace, settings }: Deps): Promise<Check> {
  const { bytes, entries } = await cacheReport(workspace.cache, settings.get().cacheLimitBytes)
  return check('cache', 'Image cache', 'ok', `${amount(bytes)} in ${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`)
}

function checkSamples({ resources }: Deps): Check {
  const backbones = listSamples(resources, 'backbones').length
  const data = listSamples(resources, 'data').length
  if (backbones > 0 && data > 0) return check('samples', 'Samples', 'ok', `${backbones} ${backbones === 1 ? 'backbone' : 'backbones'}, ${data} ${data === 1 ? 'dataset' : 'datasets'}`)
  return check('samples', 'Samples', 'missing', `resources/samples in ${resources} has ${backbones} backbones and ${data} datasets`, 'git checkout -- resources')
}
