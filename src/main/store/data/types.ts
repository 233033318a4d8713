import type { DatasetKind } from '../../contract/dataset'
import type { z } from 'zod'
import type { SplitName } from '../../engine/data/types'

export type { SplitName }
export const SPLITS = ['train', 'validation', 'test'] as const

/** One labelled image of a dataset; `index` is its place in `samples`. */
export interface DataSample { readonly index: number; readonly split: SplitName; readonly file: string; readonly label: number }

/** An image that is already decoded (idx files): bytes in rows, channels together. */
export interface RawImage { readonly width: number; readonly height: number; readonly channels: 1 | 3; readonly pixels: Uint8Array }
export type ImageInput = Uint8Array | RawImage

/** An opened dataset: its images listed and labelled, none decoded yet. */
export interface DatasetSource {
  readonly kind: z.infer<typeof DatasetKind>
  readonly name: string
  readonly path: string
  readonly classes: readonly string[]
  readonly samples: readonly DataSample[]
  /** The validation images are part of the training images (VTAB lists). */
  readonly validationFromTrain: boolean
  /** Changes when any file of the dataset changes. */
  readonly fingerprint: string
  readonly notices: readonly string[]
  /** Rejects with BrokenImage when this one image cannot be had. */
  read(sample: DataSample): Promise<ImageInput>
  close(): Promise<void>
}

/** What is known of a dataset once its files were listed; no image was decoded. */
export type DatasetFacts = Omit<DatasetSource, 'read' | 'close'>

/** One image cannot be read or decoded; the dataset can. The message is the reason, to stand behind the file's name. */
export class BrokenImage extends Error {}
