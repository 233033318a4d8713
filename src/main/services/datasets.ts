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
      const described = await describeSource(await facts(holding.path), deps.workspace.cache)
      return { ...described, ...about, names: deps.classNames.of(holding.path, described.classes), problem: null }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      return { ...about, kind: 'folder', classes: [], names: [], splits: {}, counts: {}, broken: [], cacheBytes: 0, problem: thrown.message }
    }
  }

  function listed(id: string): Holding {
    const holding = listHoldings(deps, 'data').find(one => one.id === id)
    if (!holding) throw new AppError('not-found', `There is no dataset "${id}" in the list; add it first.`)
    return holding
  }

  /** Puts what a class is called in the place of what the data has. */
  async function naming(path: string) {
    const { classes } = await facts(path), names = new Map(deps.classNames.of(path, classes).map((name, i) => [classes[i], name]))
    return <T extends { label: string }>(one: T): T => ({ ...one, label: names.get(one.label) ?? one.label })
  }

  return {
    open, facts,
    list: () => Promise.all(listHoldings(deps, 'data').map(card)),
    async add({ path }: { path: string }): Promise<DatasetCard> {
      await open(pathOf(path))
      return card(addHolding(deps, 'data', path))
    },
    remove: ({ id }: { id: string }) => removeHolding(deps, 'data', id),
    async nameClasses({ id, names }: { id: string; names: string[] }): Promise<DatasetCard> {
      const holding = listed(id)
      deps.classNames.set(holding.path, (await facts(holding.path)).classes, names)
      return card(holding)
    },
    async preview({ from, imageSize, split, count }: PreviewRequest): Promise<PreviewImage[]> {
      const path = pathOf(from)
      const images = await previewImages(path, viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, imageSize), split, count)
      return images.map(await naming(path))
    },
    async duplicates({ id }: { id: string }): Promise<DuplicateReport> {
      const { path } = listed(id), report = await duplicates(path), named = await naming(path)
      return { ...report, shown: report.shown.map(group => group.map(named)) }
    },
    ...createImageCache(deps),
  }
}
export type Datasets = ReturnType<typeof createDatasets>
