import { AppError } from '../contract/errors'
import type { ImageAddress } from '../contract/image'
import { readEvaluationHead } from '../store/evaluations'
import { openDataset } from '../store/data/open'
import { thumbnail } from '../store/data/thumbnail'
import { BrokenImage, type DatasetSource } from '../store/data/types'
import type { Deps } from './deps'
import { listHoldings } from './library'

/** Datasets stay open for a while: a grid asks for dozens of their images at once, and listing each time would be felt. */
const IDLE_MS = 30_000

interface Opened { source: Promise<DatasetSource>; timer: NodeJS.Timeout | undefined; readers: number }

/** Images of known datasets as small PNGs, for the window alone; what is asked for is never a path. */
export function createImages(deps: Deps) {
  const opened = new Map<string, Opened>()

  function release(path: string, one: Opened): void {
    if (--one.readers > 0) return
    one.timer = setTimeout(() => {
      opened.delete(path)
      void one.source.then(source => source.close(), () => undefined)
    }, IDLE_MS).unref()
  }

  async function reading<T>(path: string, work: (source: DatasetSource) => Promise<T>): Promise<T> {
    const one = opened.get(path) ?? { source: openDataset(path), timer: undefined, readers: 0 }
    opened.set(path, one)
    clearTimeout(one.timer)
    one.readers++
    try {
      return await work(await one.source)
    } finally {
      release(path, one)
    }
  }

  return async (image: ImageAddress): Promise<Uint8Array> => {
    const { path, hash } = placeOf(deps, image)
    return reading(path, async source => {
      if (hash !== null && source.fingerprint !== hash) throw new AppError('not-found', `The images in ${path} changed since they were measured.`)
      const sample = source.samples[image.index]
      if (!sample) throw new AppError('not-found', `${source.name} has no image ${image.index}.`)
      return source.read(sample).then(input => thumbnail(input, image.side)).catch(asNotFound)
    })
  }
}
export type Images = ReturnType<typeof createImages>

function asNotFound(thrown: unknown): never {
  if (thrown instanceof BrokenImage) throw new AppError('not-found', `The image cannot be shown: ${thrown.message}.`)
  throw thrown
}

/** Only what a run of this workspace was measured on, or what is listed as a dataset. */
function placeOf(deps: Deps, image: ImageAddress): { path: string; hash: string | null } {
  if (image.of === 'run') {
    deps.store.manifest(image.run)
    return readEvaluationHead(deps.store.folder(image.run), image.evaluation).data
  }
  const found = listHoldings(deps, 'data').find(({ id }) => id === image.id)
  if (!found) throw new AppError('not-found', `There is no dataset ${image.id}.`)
  return { path: found.path, hash: null }
}
