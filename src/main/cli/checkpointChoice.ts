import type { CheckpointChoice } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import { type Option, textOf, type Values } from './command'

export const checkpointOption: Option = { value: 'best|last|STEP', about: 'which checkpoint (best)' }

export function checkpointOf(values: Values, command: string): CheckpointChoice {
  const given = textOf(values, 'checkpoint') ?? 'best'
  if (given === 'best' || given === 'last') return given
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw new AppError('bad-input', `${command}: --checkpoint is "${given}"; it can be best, last or the number of a step.`)
}
