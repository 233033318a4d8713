import { AppError } from '../../contract/errors'
import type { ImageSplit } from '../../engine/data/types'
import { diskError } from '../atomic'
import { openEntry, type CacheEntry, type Storing } from './cache/entry'
import { makeRoom } from './cache/room'
import type { SegmentWriter } from './cache/segments'
import { count, errno, invalid } from './failures'
import { mapLimited } from './pool'
import { preparedSplit } from './preparedSplit'
import { BrokenImage, SPLITS, type DataSample, type DatasetSource, type SplitName } from './types'
import { decodeForModel, decodeWide, type View } from './view'

export interface PrepareOptions {
  cacheDir: string
  limitBytes: number
  /** With crops the training images are stored larger and in their own shape. */
  augment?: 'none' | 'flip' | 'crop' | 'crop+flip'
  /** The splits are a part of what will be trained on: no class need be in it. */
  part?: boolean
  signal?: AbortSignal
  onProgress?: (progress: { done: number; total: number }) => void
}
/** Images ready for training. Close it when done: until then its files stay in the cache. */
export interface PreparedData extends Readonly<Record<SplitName, ImageSplit>> {
  readonly name: string
  readonly path: string
  readonly fingerprint: string
  readonly classes: readonly string[]
  readonly broken: readonly { file: string; reason: string }[]
  readonly notices: readonly string[]
  close(): Promise<void>
}

// Enough to keep libuv's four threads busy while finished images are copied and written.
const IN_FLIGHT = 8

/** Decodes and resizes what is not in the cache yet; unchanged data is never decoded twice for the same view. */
export async function prepareData(source: DatasetSource, splits: Readonly<Record<SplitName, Int32Array>>, view: View, options: PrepareOptions): Promise<PreparedData> {
  const crops = options.augment === 'crop' || options.augment === 'crop+flip'
  const wanted = SPLITS.map(name => ({ name, storing: (crops && name === 'train' ? 'wide' : 'model') as Storing, samples: [...splits[name]].map(i => source.samples[i]!) }))
  const entries = new Map<Storing, CacheEntry>()
  const close = async () => { for (const entry of entries.values()) await entry.close() }
  const broken = new Map<number, string>()
  const notices = [...source.notices]
  try {
    const total = wanted.reduce((sum, { samples }) => sum + samples.length, 0)
    let done = 0
    for (const storing of new Set(wanted.flatMap(part => (part.samples.length > 0 ? [part.storing] : [])))) {
      const samples = wanted.flatMap(part => (part.storing === storing ? part.samples : [])).sort((a, b) => a.index - b.index)
      const entry = await disk(source, options, () => openEntry(options.cacheDir, { name: source.name, fingerprint: source.fingerprint, view, storing }))
      entries.set(storing, entry)
      const progress = (more: number) => options.onProgress?.({ done: (done += more), total })
      const job: Job = { source, view, storing, entry, options, broken, progress, notices }
      await fill(job, samples)
      await collectBroken(entry, samples, broken)
    }
    const made = wanted.map(part => [part.name, preparedSplit(without(part.samples, broken), entries.get(part.storing), view, part.storing)] as const)
    const split = Object.fromEntries(made) as Record<SplitName, ImageSplit>
    if (!options.part) refuseLost(source, wanted, broken)
    if (broken.size > 0) notices.push(`${count(broken.size, 'broken image')} ${broken.size === 1 ? 'is' : 'are'} left out.`)
    const files = [...broken].sort(([a], [b]) => a - b).map(([i, reason]) => ({ file: source.samples[i]!.file, reason }))
    return { ...split, name: source.name, path: source.path, fingerprint: source.fingerprint, classes: source.classes, broken: files, notices, close }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

interface Job {
  source: DatasetSource; view: View; storing: Storing; entry: CacheEntry; options: PrepareOptions
  broken: Map<number, string>; notices: string[]; progress(more: number): void
}

async function fill(job: Job, samples: readonly DataSample[]): Promise<void> {
  const missing = samples.filter(sample => !job.entry.has(sample.index))
  job.progress(samples.length - missing.length)
  if (missing.length === 0) return
  job.notices.push(...(await makeRoom(job.options.cacheDir, job.options.limitBytes, missing.length * expectedBytes(job), job.source.name)))
  const writer = await disk(job.source, job.options, () => job.entry.write())
  // Whoever builds the same entry at the same time begins somewhere else, and takes over what the others have done.
  const start = job.entry.shared ? (process.pid * 7919) % missing.length : 0
  try {
    await mapLimited([...missing.slice(start), ...missing.slice(0, start)], IN_FLIGHT, async (sample, i) => {
      if (i % 256 === 255) await job.entry.refresh()
      if (!job.entry.has(sample.index)) await prepareOne(job, writer, sample)
      job.progress(1)
    })
  } finally {
    await disk(job.source, job.options, () => writer.finish())
  }
}

const expectedBytes = ({ view, storing }: Job) => view.imageSize ** 2 * 3 * (storing === 'wide' ? 2 : 1)

async function prepareOne(job: Job, writer: SegmentWriter, sample: DataSample): Promise<void> {
  if (job.options.signal?.aborted) throw new AppError('cancelled', `Preparing ${job.source.name} was stopped: what is prepared is kept.`)
  try {
    const input = await job.source.read(sample)
    const image = job.storing === 'wide' ? await decodeWide(input, job.view)
      : { width: job.view.imageSize, height: job.view.imageSize, pixels: await decodeForModel(input, job.view) }
    await disk(job.source, job.options, () => writer.add(sample.index, image))
  } catch (thrown) {
    if (!(thrown instanceof BrokenImage)) throw thrown
    // A file that cannot be reached now may be there next time, so only what its bytes say is kept.
    if (errno(thrown.cause).startsWith('E')) job.broken.set(sample.index, thrown.message)
    else await disk(job.source, job.options, () => writer.addBroken(sample.index, thrown.message))
  }
}

async function disk<T>(source: DatasetSource, options: PrepareOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw diskError(`prepare ${source.name} in ${options.cacheDir}`, thrown)
  }
}

async function collectBroken(entry: CacheEntry, samples: readonly DataSample[], broken: Map<number, string>): Promise<void> {
  for (const { index } of samples) {
    const reason = broken.has(index) ? undefined : await entry.reason(index)
    if (reason !== undefined) broken.set(index, reason)
  }
}

const without = (samples: readonly DataSample[], broken: ReadonlyMap<number, string>) => samples.filter(sample => !broken.has(sample.index))

/** A class that lost all its training images, or a split that lost all images, would train or measure nothing. */
function refuseLost(source: DatasetSource, wanted: readonly { name: SplitName; samples: readonly DataSample[] }[], broken: ReadonlyMap<number, string>): void {
  for (const { name, samples } of wanted) {
    const left = without(samples, broken)
    const kept = new Set(left.map(sample => sample.label))
    const lost = name === 'train' || left.length === 0 ? samples.find(sample => !kept.has(sample.label)) : undefined
    if (!lost) continue
    const example = `${lost.file}: ${broken.get(lost.index)}`
    throw invalid(`All ${name} images of class "${source.classes[lost.label]}" in ${source.path} are broken (${example}): replace them or remove the class.`)
  }
}
