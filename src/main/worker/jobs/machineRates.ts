import { cpus } from 'node:os'
import { measureRates } from '../../engine/step/precision'
import type { Rates } from '../../contract/rates'
import { keepRates, readRates } from '../../store/machineRates'
import { workspacePaths } from '../../store/paths'
import { withModelFolder } from './modelFolder'

/** What this machine reaches, measured once in a workspace: the same recipe is to run the same way each time. */
export function knownRates(workspace: string, device: string): Rates {
  const { cache } = workspacePaths(workspace), machine = `${device}, ${cpus()[0]?.model ?? 'unknown processor'}`
  const known = readRates(cache)[machine]
  if (known) return known
  const rates = measureRates(withModelFolder)
  keepRates(cache, machine, rates)
  return rates
}
