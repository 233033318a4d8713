import { cpus } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { measureRates, Rates } from '../../engine/step/precision'
import { writeJsonAtomic } from '../../store/atomic'
import { readJson } from '../../store/jsonFile'
import { workspacePaths } from '../../store/paths'
import { withModelFolder } from './modelFolder'

const Known = z.record(z.string(), Rates)

/** What this machine reaches, measured once in a workspace: the same recipe is to run the same way each time. */
export function knownRates(workspace: string, device: string): Rates {
  const path = join(workspacePaths(workspace).cache, 'matrix-rates.json'), machine = `${device}, ${cpus()[0]?.model ?? 'unknown processor'}`
  const known = readJson(path, Known, () => ({}))
  if (known[machine]) return known[machine]
  const rates = measureRates(withModelFolder)
  writeJsonAtomic(path, { ...known, [machine]: rates })
  return rates
}
