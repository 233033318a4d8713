import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SetupError } from '../../scripts/log.mjs'
import { machineSlug } from './machine.mjs'
import { renderReport } from './report.mjs'

const FOLDER = resolve(import.meta.dirname, '../results')

/** The results of a machine, on disk after every cell. A cell counts as measured while what it measured is the same. */
export function openResults(options, machine, versions) {
  const file = fileOf(options, machine)
  const kept = !options.fresh && existsSync(file) ? read(file) : { cells: {} }
  const results = { format: 1, machine, versions, matrixRate: kept.matrixRate ?? null, cells: kept.cells }
  const save = () => {
    mkdirSync(dirname(file), { recursive: true })
    replace(file, `${JSON.stringify(results, null, 1)}\n`)
    replace(tableOf(file), renderReport(results))
  }
  return {
    results,
    file,
    table: tableOf(file),
    has: (cell) => results.cells[cell.key]?.status === 'measured' && results.cells[cell.key].identity === identityOf(cell, versions),
    add(cell, measurement) {
      const { row, method, mode } = cell
      results.cells[cell.key] = { row, method, mode, identity: identityOf(cell, versions), at: new Date().toISOString(), ...measurement }
      save()
    },
    /** Of several measurements the best: anything else that runs can only slow a product down. */
    setMatrixRate(rates) {
      const best = (library, type) => Math.max(rates[library][type], results.matrixRate?.[library][type] ?? 0)
      const both = (library) => ({ float32: best(library, 'float32'), bfloat16: best(library, 'bfloat16') })
      results.matrixRate = { torch: both('torch'), tensorflow: both('tensorflow') }
      save()
    },
    save,
  }
}

/** Engram's cells belong to a state of its sources, PyTorch's to its versions. */
function identityOf({ mode, steps }, { engine, torch, timm, peft, tensorflow }) {
  return (mode.startsWith('engram') ? [engine, tensorflow, steps] : [torch, timm, peft, steps]).join(' ')
}

function fileOf({ out, quick, fresh }, machine) {
  if (out) return resolve(out.replace(/(\.json|\.md)?$/, '.json'))
  const ending = `-${machineSlug(machine)}${quick ? '-quick' : ''}.json`
  const today = join(FOLDER, new Date().toISOString().slice(0, 10) + ending)
  if (fresh || !existsSync(FOLDER)) return today
  const before = readdirSync(FOLDER).filter((name) => name.slice(10) === ending).sort().at(-1)
  return before ? join(FOLDER, before) : today
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new SetupError(`${file} is not readable as results (${error.message}); move it away, or use --fresh`)
  }
}

const tableOf = (file) => file.replace(/\.json$/, '.md')

function replace(file, text) {
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}
