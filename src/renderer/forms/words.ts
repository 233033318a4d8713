import { plainNumber, sentence } from '../lib/format'
import type { Json } from '../lib/path'
import type { Field } from './schema'

const known: Record<string, string> = { cls: 'Class token', 'cls+mean': 'Class token + mean', vslice: 'Value slice', ema: 'EMA' }

/** An option of a choice as people read it: "paper-locational" as "Paper locational". */
export function optionLabel(option: string | number): string {
  const text = String(option)
  return known[text] ?? sentence(text.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`).replaceAll(/[-/_]/g, ' ').replaceAll('+', ' + '))
}

/** A value in one short phrase, for captions and summaries. */
export function valueWords(field: Field, value: Json | undefined): string {
  if (value === null || value === undefined) return 'empty'
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'number') return plainNumber(value)
  if (Array.isArray(value)) return value.map(String).join(', ')
  if (typeof value === 'object') return 'own values'
  return field.options.includes(value) ? optionLabel(value).toLowerCase() : value
}
