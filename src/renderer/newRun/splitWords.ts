import type { DatasetCard } from '@contract/dataset'
import { count, percent } from '../lib/format'
import type { Json } from '../lib/path'

const held = (part: number, of: number) => part < 1 ? Math.round(part * of) : Math.min(of, part)

/** What becomes of the images: "800 train, 200 validation (20 % of train), 2,000 test". */
export function splitWords(card: DatasetCard, validation: Json | undefined, test: Json | undefined): string {
  const given = card.splits
  const all = given['train'] ?? Object.values(given).reduce((a, b) => a + b, 0)
  const testShare = typeof test === 'number' ? test : 0
  const share = typeof validation === 'number' ? validation : 0.2
  const testHeld = given['test'] === undefined ? held(testShare, all) : 0
  const validationHeld = given['validation'] === undefined ? held(share, all - testHeld) : 0
  const note = given['validation'] === undefined && share < 1 && share > 0 ? ` (${percent(share, 0)} of train)` : ''
  const tests = given['test'] ?? testHeld
  return `${count(all - testHeld - validationHeld)} train, ${count(given['validation'] ?? validationHeld)} validation${note}${tests ? `, ${count(tests)} test` : ''}`
}
