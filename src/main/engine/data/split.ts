import { AppError } from '../../contract/errors'
import { createRandom, type Random } from './random'
import type { SplitName } from './types'

/** What splitting needs to know of a dataset. */
export interface Splittable {
  readonly classes: readonly string[]
  readonly samples: readonly { readonly split: SplitName; readonly label: number }[]
  /** The validation images are part of the training images (VTAB's train800 and val200 of train800val200). */
  readonly validationFromTrain: boolean
}
export interface SplitChoice {
  readonly split: { readonly validation: number; readonly test: number; readonly seed: number }
  readonly limit: number | null
}
/** Numbers of samples, ascending. */
export type Splits = Readonly<Record<SplitName, Int32Array>>

/** Which samples train, which choose the best checkpoint and which are only looked at in the end. */
export function makeSplits(source: Splittable, choice: SplitChoice): Splits {
  const random = createRandom(choice.split.seed, 'split')
  const brought = bring(source, choice)
  const classes = source.classes.length
  const label = (sample: number) => source.samples[sample]!.label
  const group = (samples: readonly number[]) => byClass(samples, label, classes)

  let train = group(brought.train)
  const test = brought.test.length > 0 ? brought.test : take('test', choice.split.test, train, random)
  if (brought.test.length === 0) train = without(train, test)
  if (choice.limit !== null) train = keepBalanced(train, choice.limit, random.fork('limit'))
  const validation = brought.validation.length > 0 ? brought.validation : take('validation', choice.split.validation, train, random)
  if (brought.validation.length === 0) train = without(train, validation)
  return { train: ascending(train.flat()), validation: ascending(validation), test: ascending(test) }
}

function bring(source: Splittable, choice: SplitChoice): Record<SplitName, number[]> {
  const brought: Record<SplitName, number[]> = { train: [], validation: [], test: [] }
  const join = source.validationFromTrain && choice.split.validation === 0
  source.samples.forEach((sample, i) => brought[join && sample.split === 'validation' ? 'train' : sample.split].push(i))
  return brought
}

function byClass(samples: readonly number[], label: (sample: number) => number, classes: number): number[][] {
  const groups: number[][] = Array.from({ length: classes }, () => [])
  for (const sample of samples) groups[label(sample)]!.push(sample)
  return groups
}

function without(groups: readonly number[][], taken: readonly number[]): number[][] {
  const gone = new Set(taken)
  return groups.map(group => group.filter(sample => !gone.has(sample)))
}

const ascending = (samples: readonly number[]) => Int32Array.from(samples).sort()
const pick = (group: readonly number[], count: number, random: Random) => [...random.permutation(group.length).subarray(0, count)].map(i => group[i]!)

/** Holds out `amount` (a share below 1, a count from 1 on), the same share of each class as far as possible. */
function take(split: 'validation' | 'test', amount: number, groups: readonly number[][], random: Random): number[] {
  const sizes = groups.map(group => group.length)
  const total = sum(sizes)
  const count = amount < 1 ? Math.round(amount * total) : Math.floor(amount)
  if (count === 0) return []
  // One image of each class stays, since a class that is never trained can never be predicted.
  const room = sizes.map(size => Math.max(0, size - 1))
  if (count > sum(room)) {
    throw new AppError('recipe-invalid', `Holding out ${count} images for ${split} leaves some classes without any of the ${total} training images: make data.split.${split} smaller.`, { field: `data.split.${split}` })
  }
  const quotas = proportional(sizes, room, count)
  return groups.flatMap((group, c) => pick(group, quotas[c]!, random.fork(split, c)))
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

/** Shares `count` out in proportion to `sizes`, whole numbers by largest remainder, none above `room`. */
function proportional(sizes: readonly number[], room: readonly number[], count: number): number[] {
  const total = sum(sizes)
  const exact = sizes.map(size => (count * size) / total)
  const quotas = exact.map((e, c) => Math.min(Math.floor(e), room[c]!))
  const order = exact.map((_, c) => c).sort((a, b) => (exact[b]! - Math.floor(exact[b]!)) - (exact[a]! - Math.floor(exact[a]!)) || a - b)
  for (let left = count - sum(quotas); left > 0;) {
    for (const c of order) {
      if (left > 0 && quotas[c]! < room[c]!) {
        quotas[c]!++
        left--
      }
    }
  }
  return quotas
}

/** Keeps `limit` samples, the same number of each class as far as the classes have them. */
function keepBalanced(groups: readonly number[][], limit: number, random: Random): number[][] {
  const filled = groups.filter(group => group.length > 0).length
  if (limit < filled) {
    throw new AppError('recipe-invalid', `A limit of ${limit} training images is less than the ${filled} classes: set data.limit to ${filled} or more.`, { field: 'data.limit' })
  }
  const quotas = groups.map(() => 0)
  let left = Math.min(limit, sum(groups.map(group => group.length)))
  while (left > 0) {
    const open = groups.flatMap((group, c) => (quotas[c]! < group.length ? [c] : []))
    const each = Math.max(1, Math.floor(left / open.length))
    for (const c of open) {
      const more = Math.min(each, groups[c]!.length - quotas[c]!, left)
      quotas[c]! += more
      left -= more
    }
  }
  return groups.map((group, c) => pick(group, quotas[c]!, random.fork(c)))
}
