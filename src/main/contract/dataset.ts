import { z } from 'zod'
import { Place } from './path'
import { HoldingSource } from './model'

export const DatasetKind = z.enum(['folder', 'zip', 'parquet', 'idx', 'list'])
export const BrokenFile = z.object({ file: z.string(), reason: z.string() })

/** A dataset after its files were listed. `broken` is filled once images were decoded. */
export const DatasetCard = z.object({
  id: z.string(), name: z.string(), path: z.string(), kind: DatasetKind, source: HoldingSource,
  classes: z.array(z.string()).describe('as in the data; by these, datasets are told to have the same'), names: z.array(z.string()).describe('what the classes are called here'),
  splits: z.record(z.string(), z.int()).describe('images per split that the data brings: train, validation, test'),
  counts: z.record(z.string(), z.array(z.int())).describe('images per class, by split'),
  broken: z.array(BrokenFile), licence: z.string().nullable(), cacheBytes: z.int(), problem: z.string().nullable(),
})
export type DatasetCard = z.infer<typeof DatasetCard>

export const PreviewInput = z.object({ from: Place, imageSize: z.int().min(8).max(1024), split: z.enum(['train', 'validation', 'test']).default('train'), count: z.int().min(1).max(64).default(12) })
export const PreviewImage = z.object({ file: z.string(), label: z.string(), src: z.string().describe('data URL') })
export type PreviewImage = z.infer<typeof PreviewImage>

export const CacheReport = z.object({ bytes: z.int(), limitBytes: z.int(), entries: z.array(z.object({ key: z.string(), name: z.string(), bytes: z.int(), usedAt: z.number() })) })
export type CacheReport = z.infer<typeof CacheReport>

const Duplicate = z.object({ file: z.string(), split: z.string(), label: z.string() })
export const DuplicateReport = z.object({
  images: z.int(), groups: z.int().describe('images that are here more than once'),
  across: z.int().describe('validation and test images that are in another split too'), relabelled: z.int().describe('groups with more than one class'),
  shown: z.array(z.array(Duplicate)),
})
export type DuplicateReport = z.infer<typeof DuplicateReport>
