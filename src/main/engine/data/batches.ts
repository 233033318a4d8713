import { randomBox } from './augment'
import { prefetched } from './prefetch'
import { createRandom } from './random'
import type { Batch, ImageSplit } from './types'

export interface TrainBatchOptions {
  batchSize: number
  seed: number
  epoch: number
  /** Number of the first batch wanted; a resumed run goes on where it stopped. */
  from?: number
  augment: 'none' | 'flip' | 'crop' | 'crop+flip'
  /** Positions in the order wanted, where they are not the epoch's own. */
  order?: Int32Array
}

/** How many batches an epoch has; the last may be smaller. */
export const batchCount = (size: number, batchSize: number): number => Math.ceil(size / batchSize)

/** The sizes that they have: whole ones, and that of the smaller last one. */
export const batchSizes = (size: number, batchSize: number): number[] => [...(size >= batchSize ? [batchSize] : []), ...(size % batchSize > 0 ? [size % batchSize] : [])]

/** The order in which an epoch goes through its images. */
export const epochOrder = (size: number, seed: number, epoch: number): Int32Array => createRandom(seed, 'order', epoch).permutation(size)

/**
 * One epoch of training batches. Order and augmentation depend on seed, epoch and image alone, so that a run which was
 * stopped and resumed sees what an unbroken run sees.
 */
export function trainBatches(split: ImageSplit, options: TrainBatchOptions): AsyncIterable<Batch> {
  const { seed, epoch, batchSize } = options
  const order = options.order ?? epochOrder(split.size, seed, epoch)
  const fill: Fill = (position, into, at) => augmented(split, position, options, into, at)
  return batches(split, order, batchSize, options.from ?? 0, fill)
}

/** All images of a split in their own order, unchanged. */
export function evalBatches(split: ImageSplit, batchSize: number): AsyncIterable<Batch> {
  const order = Int32Array.from({ length: split.size }, (_, i) => i)
  return batches(split, order, batchSize, 0, (position, into, at) => split.read(position, into, at))
}

type Fill = (position: number, into: Uint8Array, at: number) => Promise<void>

function batches(split: ImageSplit, order: Int32Array, batchSize: number, from: number, fill: Fill): AsyncIterable<Batch> {
  const count = batchCount(order.length, batchSize)
  const make = (b: number) => makeBatch(split, order.subarray(b * batchSize, (b + 1) * batchSize), fill)
  return prefetched(from, count, make)
}

async function makeBatch(split: ImageSplit, positions: Int32Array, fill: Fill): Promise<Batch> {
  const bytes = split.imageSize * split.imageSize * 3
  const pixels = new Uint8Array(positions.length * bytes)
  await Promise.all(Array.from(positions, (position, i) => fill(position, pixels, i * bytes)))
  return { pixels, labels: positions.map(p => split.labels[p]!), indices: positions.map(p => split.indices[p]!) }
}

async function augmented(split: ImageSplit, position: number, options: TrainBatchOptions, into: Uint8Array, at: number): Promise<void> {
  if (options.augment === 'none') return split.read(position, into, at)
  const random = createRandom(options.seed, 'augment', options.epoch, split.indices[position]!)
  const flip = random.fork('flip').uniform() < 0.5
  if (options.augment === 'flip') await split.read(position, into, at)
  else {
    if (!split.wide) throw new Error('This split was not prepared for random crops.')
    await split.wide.crop(position, randomBox(split.wide.size(position), random.fork('crop')), into, at)
  }
  if (flip && options.augment !== 'crop') flipRows(into, at, split.imageSize)
}

/** Mirrors one image, [S, S, 3], in place. */
export function flipRows(pixels: Uint8Array, at: number, side: number): void {
  for (let y = 0; y < side; y++) {
    const row = at + y * side * 3
    for (let a = row, b = row + (side - 1) * 3; a < b; a += 3, b -= 3) {
      for (let c = 0; c < 3; c++) {
        const held = pixels[a + c]!
        pixels[a + c] = pixels[b + c]!
        pixels[b + c] = held
      }
    }
  }
}
