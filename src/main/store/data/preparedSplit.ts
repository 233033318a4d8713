import type { Box, ImageSplit } from '../../engine/data/types'
import type { CacheEntry, Storing } from './cache/entry'
import type { DataSample } from './types'
import { cropInto, type View } from './view'

/** One split of prepared data, as the engine's batches take it. */
export function preparedSplit(samples: readonly DataSample[], entry: CacheEntry | undefined, view: View, storing: Storing): ImageSplit {
  const indices = Int32Array.from(samples, sample => sample.index)
  const common = {
    size: samples.length, imageSize: view.imageSize, indices,
    labels: Int32Array.from(samples, sample => sample.label), files: samples.map(sample => sample.file),
  }
  const load = (position: number, into: Uint8Array, at: number) => entry!.read(indices[position]!, into, at)
  if (storing === 'model') return { ...common, read: load }
  const size = (position: number) => entry!.size(indices[position]!)
  const crop = async (position: number, box: Box, into: Uint8Array, at: number) => {
    const { width, height } = size(position)
    const pixels = new Uint8Array(width * height * 3)
    await load(position, pixels, 0)
    await cropInto({ width, height, pixels }, box, view, into, at)
  }
  return {
    ...common, wide: { size, crop },
    read: (position, into, at) => crop(position, { left: 0, top: 0, ...size(position) }, into, at),
  }
}
