import { AppError } from '../contract/errors'
import type { CacheReport, DatasetCard, DuplicateReport, PreviewImage } from '../contract/dataset'
import { cacheReport, clearCache } from '../store/data/cache/room'
import { describeSource } from '../store/data/describe'
import { findDuplicates } from '../store/data/duplicates'
import { openDataset } from '../store/data/open'
import { previewImages } from '../store/data/preview'
import type { DatasetSource } from '../store/data/types'
import { viewOf } from '../store/data/view'
import type { Deps } from './deps'
import { addHolding, find, type Holding, listHoldings, removeHolding } from './library'

/** What is known of a dataset once its files were listed; no image was decoded. */
export type DatasetFacts = Omit<DatasetSource, 'read' | 'close'>
interface PreviewRequest { from: string; imageSize: number; split: 'train' | 'validation' | 'test'; count: number }

/** While a recipe is being written the same dataset is asked for at each change; listing it again each time would be felt. */
const FRESH_MS = 30_000

export function createDatasets(deps: Deps) {
  const { workspace, settings } = deps
  const compared = new Map<string, Promise<DuplicateReport>>()
  const seen = new Map<string, { at: number; source: Promise<DatasetSource> }>()

  function list(path: string): Promise<DatasetSource> {
    const source = openAndClose(path)
    seen.set(path, { at: Date.now(), source })
    source.catch(() => seen.delete(path))
    return source
  }
  function listed(path: string): Promise<DatasetSource> {
    const known = seen.get(path)
    return known && Date.now() - known.at < FRESH_MS ? known.source : list(path)
  }

  async function card(holding: Holding): Promise<DatasetCard> {
    const about = { id: holding.id, name: holding.name, path: holding.path, source: holding.source, licence: holding.licence }
    try {
      return { ...(await describeSource(await listed(holding.path), workspace.cache)), ...about, problem: null }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      return { ...about, kind: 'folder', classes: [], splits: {}, counts: {}, broken: [], cacheBytes: 0, problem: thrown.message }
    }
  }
  const pathOf = (from: string) => find(deps, 'data', from, [process.cwd()]).path
  const cache = (): Promise<CacheReport> => cacheReport(workspace.cache, settings.get().cacheLimitBytes)

  return {
    /** As it is now. */
    open: (path: string): Promise<DatasetFacts> => list(path),
    /** As it is now or was a moment ago. */
    facts: (path: string): Promise<DatasetFacts> => listed(path),
    list: () => Promise.all(listHoldings(deps, 'data').map(card)),
    async add({ path }: { path: string }): Promise<DatasetCard> {
      await list(pathOf(path))
      return card(addHolding(deps, 'data', path))
    },
    remove: ({ id }: { id: string }) => removeHolding(deps, 'data', id),
    preview({ from, imageSize, split, count }: PreviewRequest): Promise<PreviewImage[]> {
      return previewImages(pathOf(from), viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, imageSize), split, count)
    },
    /** Reads every file once; the answer holds until a file changes. */
    async duplicates({ id }: { id: string }): Promise<DuplicateReport> {
      const holding = listHoldings(deps, 'data').find(one => one.id === id)
      if (!holding) throw new AppError('not-found', `There is no dataset "${id}" in the list; add it first.`)
      const source = await openDataset(holding.path)
      try {
        const known = compared.get(source.fingerprint) ?? findDuplicates(source)
        compared.set(source.fingerprint, known)
        known.catch(() => compared.delete(source.fingerprint))
        return await known
      } finally {
        await source.close()
      }
    },
    cache,
    /** Forgets the decoded images of one dataset at one size. */
    async dropCache({ key }: { key: string }): Promise<CacheReport> {
      await clearCache(workspace.cache, key)
      return cache()
    },
    async clearCache(): Promise<CacheReport> {
      await clearCache(workspace.cache)
      return cache()
    },
  }
}
export type Datasets = ReturnType<typeof createDatasets>

async function openAndClose(path: string): Promise<DatasetSource> {
  const source = await openDataset(path)
  await source.close()
  return source
}
