import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { CLASSES, WARM_UP, backbones, methods } from './grid.mjs'

const CELL = resolve(import.meta.dirname, '../torch/cell.py')

/** Measures one cell on PyTorch's side, in a process of its own and without what torch.compile kept from others. */
export async function measureTorch(cell, mode, material, { python, device }) {
  const scratch = mkdtempSync(join(tmpdir(), 'engram-bench-'))
  const input = {
    method: cell.method,
    precision: mode.precision,
    compile: mode.compile,
    device: device === 'gpu' ? 'cuda' : 'cpu',
    threads: availableParallelism(),
    classes: CLASSES,
    batch: backbones[cell.row].batch,
    learningRate: methods[cell.method].learningRate,
    warmUp: WARM_UP,
    steps: cell.steps,
    backbone: material.backbone(cell.row),
    start: material.start(cell.row, cell.method),
    images: join(material.images, 'images.safetensors'),
    order: material.order,
  }
  try {
    const env = { ...process.env, TORCHINDUCTOR_CACHE_DIR: join(scratch, 'inductor'), TRITON_CACHE_DIR: join(scratch, 'triton') }
    const report = await runPython(python, [CELL, JSON.stringify(input)], env)
    const { first, steps, ...rest } = report
    return { ...rest, steps: steps.slice(WARM_UP - 1), compileSeconds: mode.compile ? first : null }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Runs a script whose last line is JSON. */
export async function runPython(python, args, env = process.env) {
  const running = promisify(execFile)(python, args, { env, maxBuffer: 2 ** 26 })
  const end = () => running.child.kill('SIGKILL')
  process.once('exit', end)
  try {
    return JSON.parse((await running).stdout.trim().split('\n').at(-1))
  } catch (error) {
    throw new Error(error.stderr?.trim().split('\n').at(-1) || error.message, { cause: error })
  } finally {
    process.off('exit', end)
  }
}
