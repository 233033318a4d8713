import { AppError } from '../contract/errors'
import type { DatasetCard, DuplicateReport, PreviewImage } from '../contract/dataset'
import { describeSource } from '../store/data/describe'
import { previewImages } from '../store/data/preview'
import { viewOf } from '../store/data/view'
import { createDuplicates, createListing } from './datasetFiles'
import type { Deps } from './deps'
import { createImageCache } from './imageCache'
import { addHolding, find, type Holding, listHoldings, removeHolding } from './library'

interface PreviewRequest { from: string; imageSize: number; split: 'train' | 'validation' | 'test'; count: number }

/** The datasets at hand, and what is known of each. */
export function createDatasets(deps: Deps) {
  const { open, facts } = createListing()
  const duplicates = createDuplicates()
  const pathOf = (from: string) => find(deps, 'data', from, [process.cwd()]).path

  async function card(holding: Holding): Promise<DatasetCard> {
    const about = { id: holding.id, name: holding.name, path: holding.path, source: holding.source, licence: holding.licence }
    try {
      return { ...(await describeSource(await facts(holding.path), deps.workspace.cache)), ...about, problem: null }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      return { ...about, kind: 'folder', classes: [], splits: {}, counts: {}, broken: [], cacheBytes: 0, problem: thrown.message }
    }
  }

  return {
    open, facts,
    list: () => Promise.all(listHoldings(deps, 'data').map(card)),
    async add({ path }: { path: string }): Promise<DatasetCard> {
      await open(pathOf(path))
      return card(addHolding(deps, 'data', path))
    },
    remove: ({ id }: { id: string }) => removeHolding(deps, 'data', id),
    preview({ from, imageSize, split, count }: PreviewRequest): Promise<PreviewImage[]> {
      return previewImages(pathOf(from), viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, imageSize), split, count)
    },
    duplicates({ id }: { id: string }): Promise<DuplicateReport> {
      const holding = listHoldings(deps, 'data').find(one => one.id === id)
      if (!holding) throw new AppError('not-found', `There is no dataset "${id}" in the list; add it first.`)
      return duplicates(holding.path)
    },
    ...createImageCache(deps),
  }
}
export type Datasets = ReturnType<typeof createDatasets>
