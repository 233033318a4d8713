import type { GainKind } from '@contract/engram'
import type { Mode } from './lens'

export const modes: readonly { value: Mode; label: string }[] = [{ value: 'gain', label: 'Gain γ' }, { value: 'shift', label: 'Shift β' }, { value: 'propagated', label: 'Propagated' }]

/** Potentiated above 1, depressed below; shifts and quotients have plain words. */
export function sideWord(value: number, mode: Mode, compared: boolean): string {
  if (mode === 'shift') return compared ? 'more than the other run' : ''
  if (value === 1) return compared ? 'as in the other run' : 'unchanged'
  if (compared) return value > 1 ? 'times the other run' : 'of the other run'
  return value > 1 ? 'potentiated' : 'depressed'
}

/** Three decimals with a typographic minus. */
export const decimals = (value: number): string => `${value < 0 ? '−' : ''}${Math.abs(value).toFixed(3)}`
export const signed = (value: number): string => Math.abs(value) < 5e-4 ? '±0.000' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`

/** Where a gain comes from, for the caption. */
export const kindWords: Record<GainKind, string> = {
  own: 'Gains are the method\'s own scales.',
  pooled: 'Gains are measured on the training data, as running averages.',
  weight: 'Gains are derived from the weights alone: how far each row still points along its pretrained one.',
  magnitude: 'Gains are derived from the weights alone: the norm of each row over its pretrained norm.',
}
