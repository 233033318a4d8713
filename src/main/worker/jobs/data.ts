import { AppError } from '../../contract/errors'
import type { Recipe } from '../../contract/recipe'
import { makeSplits, type Splits } from '../../engine/data/split'
import { openDataset } from '../../store/data/open'
import { prepareData, type PreparedData } from '../../store/data/prepare'
import { workspacePaths } from '../../store/paths'
import { openSettings } from '../../store/settings'
import type { JobContext } from '../protocol'
import type { Preprocessing } from './session'

export interface DataRequest { path: string; choice: Recipe['data']; augment: Recipe['train']['augment']; workspace: string; preprocessing: Preprocessing; expected: { classes: readonly string[]; hash: string | null }; /** Only some images, and where they go instead of the workspace's cache. */ part?: { choose(splits: Splits): Splits; cache: string } }

/** Lists, splits, decodes and caches a run's images. The caller closes what it gets. */
export async function openRunData(request: DataRequest, ctx: JobContext): Promise<PreparedData> {
  ctx.progress('data', null, null, 'Listing the images')
  const source = await openDataset(request.path)
  try {
    checkSame(request, source.classes, source.fingerprint)
    const paths = workspacePaths(request.workspace), stop = new AbortController()
    const splits = makeSplits(source, request.choice)
    const prepared = await prepareData(source, request.part?.choose(splits) ?? splits, request.preprocessing.view, {
      cacheDir: request.part?.cache ?? paths.cache, part: request.part !== undefined, limitBytes: openSettings(paths.settings).get().cacheLimitBytes, augment: request.augment, signal: stop.signal,
      onProgress({ done, total }) {
        if (ctx.stopRequested()) stop.abort()
        ctx.progress('data', done, total, 'Decoding images')
      },
    })
    return inOrderOf(request.expected.classes, prepared)
  } finally {
    await source.close()
  }
}

/** Other data may list the same classes in another order; labels are numbers of the run's classes. */
function inOrderOf(classes: readonly string[], data: PreparedData): PreparedData {
  if (data.classes.every((name, i) => classes[i] === name)) return data
  const renumbered = (split: PreparedData['test']) => ({ ...split, labels: split.labels.map(label => classes.indexOf(data.classes[label]!)) })
  return { ...data, classes, train: renumbered(data.train), validation: renumbered(data.validation), test: renumbered(data.test) }
}

function checkSame({ path, expected }: DataRequest, classes: readonly string[], fingerprint: string): void {
  if (expected.hash !== null && expected.hash !== fingerprint) {
    throw new AppError('run-state', `The images in ${path} are not those that this run began with, so it cannot go on; put them back, or start a new run.`)
  }
  const missing = classes.find(name => !expected.classes.includes(name))
  if (classes.length === expected.classes.length && missing === undefined) return
  const why = missing === undefined ? `it has ${classes.length} of the ${expected.classes.length} classes` : `it does not know the class "${missing}"`
  throw new AppError('dataset-invalid', `${path} does not fit this run: ${why} that the run was trained on.`)
}
