import { invalid } from './failures'
import { openDataset } from './open'
import { encodePng } from './thumbnail'
import { BrokenImage, type DatasetSource, type DataSample, type SplitName } from './types'
import { decodeForModel, type View } from './view'

export interface Preview { file: string; label: string; src: string }

/** Some images of a split as a model of this view sees them, classes in turn, as data URLs. */
export async function previewImages(path: string, view: View, split: SplitName, count: number): Promise<Preview[]> {
  const source = await openDataset(path)
  try {
    const samples = source.samples.filter(sample => sample.split === split)
    if (samples.length === 0) throw invalid(`${source.path} has no ${split} images: choose another split.`)
    const previews: Preview[] = []
    for (const sample of inTurn(samples, source.classes.length)) {
      if (previews.length === count) break
      const preview = await previewOne(source, sample, view)
      if (preview) previews.push(preview)
    }
    return previews
  } finally {
    await source.close()
  }
}

async function previewOne(source: DatasetSource, sample: DataSample, view: View): Promise<Preview | null> {
  try {
    const pixels = await decodeForModel(await source.read(sample), view)
    return { file: sample.file, label: source.classes[sample.label]!, src: await pngUrl(pixels, view.imageSize) }
  } catch (thrown) {
    if (thrown instanceof BrokenImage) return null
    throw thrown
  }
}

/** The first of each class, then the second of each, and so on. */
function* inTurn(samples: readonly DataSample[], classes: number): Generator<DataSample> {
  const groups: DataSample[][] = Array.from({ length: classes }, () => [])
  for (const sample of samples) groups[sample.label]!.push(sample)
  const longest = groups.reduce((most, group) => Math.max(most, group.length), 0)
  for (let i = 0; i < longest; i++) yield* groups.flatMap(group => group.slice(i, i + 1))
}

async function pngUrl(pixels: Uint8Array, side: number): Promise<string> {
  const png = await encodePng({ width: side, height: side, pixels })
  return `data:image/png;base64,${png.toString('base64')}`
}
