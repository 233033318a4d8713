// `npm run bench`: Engram beside PyTorch on the same shapes, weights, batches and trained values. See README.md.
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'
import { ensureBuild, ensureDependencies, ensureRuntime } from '../scripts/ensure.mjs'
import { withLock } from '../scripts/lock.mjs'
import { runMain, say } from '../scripts/log.mjs'
import { root } from '../scripts/paths.mjs'
import { Refused } from './lib/engram.mjs'
import { measureEngram } from './lib/engramCell.mjs'
import { figuresOf } from './lib/figures.mjs'
import { blockProducts } from './lib/flops.mjs'
import { backbones, cellsOf, methods, modes } from './lib/grid.mjs'
import { describeMachine } from './lib/machine.mjs'
import { ensureMaterial } from './lib/material.mjs'
import { USAGE, readOptions } from './lib/options.mjs'
import { ensurePython } from './lib/python.mjs'
import { renderReport } from './lib/report.mjs'
import { BUSY, othersShare } from './lib/quiet.mjs'
import { openResults } from './lib/results.mjs'
import { measureTorch, runPython } from './lib/torchCell.mjs'
import { describeVersions } from './lib/versions.mjs'

await runMain(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options.help) return console.log(USAGE)
  process.env.ENGRAM_DEVICE = options.device
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  await ensureDependencies()
  await ensureRuntime()
  await ensureBuild()
  const python = await ensurePython(options.device)
  await withLock('bench', () => bench(options, python))
})

async function bench(options, python) {
  const material = await ensureMaterial(python, options.rows, options.methods)
  const book = openResults(options, describeMachine(options.device), await describeVersions(python))
  if (options.device === 'cpu') book.setMatrixRate(await matrixRates(python))
  await measureAll(cellsOf(options), book, material, { python, device: options.device })
  book.save()
  console.log(renderReport(book.results))
  say(`written: ${book.file} and ${book.table}`)
}

async function measureAll(cells, book, material, surroundings) {
  const missing = cells.filter((cell) => !book.has(cell))
  say(`${cells.length} cells, ${missing.length} of them to be measured`)
  for (const [i, cell] of missing.entries()) {
    const mode = modes.find(({ id }) => id === cell.mode)
    const others = await othersShare()
    const began = Date.now()
    book.add(cell, { others, ...(await measured(cell, mode, material, surroundings)) })
    const seconds = ((Date.now() - began) / 1000).toFixed(0)
    const busy = others > BUSY ? `  (the machine is busy: ${(100 * others).toFixed(0)} %)` : ''
    say(`${i + 1}/${missing.length}  ${backbones[cell.row].title}, ${methods[cell.method].title}, ${mode.title}: ${summary(book.results, cell)}  [${seconds} s]${busy}`)
  }
}

/** A crash costs one cell; what this Engram refuses is skipped with its reason. */
async function measured(cell, mode, material, surroundings) {
  try {
    const measurement = mode.side === 'torch' ? await measureTorch(cell, mode, material, surroundings) : await measureEngram(cell, mode, material)
    return { status: 'measured', ...measurement }
  } catch (error) {
    return { status: error instanceof Refused ? 'skipped' : 'failed', problem: error.message }
  }
}

function summary(results, { row, method, mode }) {
  const { problem, ms, peakBytes } = figuresOf(results, row, method, mode)
  return problem ?? `${ms.toFixed(1)} ms per image, ${(peakBytes / 1e9).toFixed(2)} GB`
}

async function matrixRates(python) {
  say('measuring the matrix rate of this machine')
  const shapes = JSON.stringify(blockProducts())
  const script = join(root, 'bench/lib/matrixRate.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [script, shapes])
  const torch = await runPython(python, [resolve(import.meta.dirname, 'torch/matrixRate.py'), String(availableParallelism()), shapes])
  return { torch, tensorflow: JSON.parse(stdout.trim().split('\n').at(-1)) }
}
