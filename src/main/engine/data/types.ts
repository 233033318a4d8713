export type SplitName = 'train' | 'validation' | 'test'

/** A rectangle in pixels of a stored image. */
export interface Box { left: number; top: number; width: number; height: number }

/** The images of one split, prepared for a model; what batches are made from. Positions run from 0 to size - 1. */
export interface ImageSplit {
  readonly size: number
  readonly imageSize: number
  /** Class by position. */
  readonly labels: Int32Array
  /** Number of the image in its dataset, by position. */
  readonly indices: Int32Array
  readonly files: readonly string[]
  /** Writes one image, [S, S, 3], into `into` from byte `at` on. */
  read(position: number, into: Uint8Array, at: number): Promise<void>
  /** Only where data was prepared for random crops: the larger stored image, and a part of it resized to [S, S, 3]. */
  readonly wide?: WideImages
}
export interface WideImages {
  size(position: number): { width: number; height: number }
  crop(position: number, box: Box, into: Uint8Array, at: number): Promise<void>
}

/** pixels: [B, S, S, 3], RGB, 0 … 255. */
export interface Batch { pixels: Uint8Array; labels: Int32Array; indices: Int32Array }
