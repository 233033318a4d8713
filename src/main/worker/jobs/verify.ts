import type { Verification } from '../../contract/checkpoint'
import { argMax } from '../../engine/train/metrics'
import type { JobContext } from '../protocol'
import { heldOut, openEvaluationData } from './evaluate'
import type { Session } from './session'

/** Held-out images as the model sees them: uint8 [images, size, size, 3]. */
export interface Samples { pixels: Uint8Array; images: number; size: number; split: string; classes: number }

const MOST = 64
/** Largest logit difference allowed, as a share of the largest logit. */
const TOLERANCE = 1e-4

/** Images spread evenly over the split that is furthest from training. */
export async function samplesFor(session: Session, workspace: string, ctx: JobContext): Promise<Samples> {
  const data = await openEvaluationData(session, null, workspace, ctx)
  try {
    const { split, images: from } = heldOut(data)
    const images = Math.min(MOST, from.size), size = from.imageSize, bytes = size * size * 3
    const pixels = new Uint8Array(images * bytes)
    for (let i = 0; i < images; i++) await from.read(Math.floor((i * from.size) / images), pixels, i * bytes)
    return { pixels, images, size, split, classes: session.manifest.resolved.classes.length }
  } finally {
    await data.close()
  }
}

/** Compares what the exported files compute with what the run computes. All logits [images, classes]. */
export function verify(live: Float32Array, exported: Float32Array, base: Float32Array, { images, split, classes }: Samples): Verification {
  const difference = compare(live, exported)
  const scale = live.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
  const relativeDifference = difference.max / Math.max(scale, 1e-12)
  const top1Agreement = agreement(live, exported, classes)
  const passed = live.length === exported.length && relativeDifference <= TOLERANCE
  const differsFromBase = compare(exported, base).max
  const sentence = passed
    ? `On ${images} ${split} images the exported files give the run's logits to ${relativeDifference.toExponential(1)} of the largest, and the same class on ${percent(top1Agreement)}.`
    : `on ${images} ${split} images its logits differ from the run's by up to ${relativeDifference.toExponential(1)} of the largest (allowed ${TOLERANCE.toExponential(0)}), with the same class on ${percent(top1Agreement)}.`
  return { passed, samples: images, split, tolerance: TOLERANCE, maxDifference: difference.max, meanDifference: difference.mean, relativeDifference, top1Agreement, differsFromBase, sentence }
}

const percent = (share: number): string => `${(100 * share).toFixed(1).replace(/\.0$/, '')} %`

function compare(a: Float32Array, b: Float32Array): { max: number; mean: number } {
  let max = a.length === b.length ? 0 : Infinity, sum = 0
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const d = Math.abs(a[i]! - b[i]!)
    max = Number.isNaN(d) ? Infinity : Math.max(max, d)
    sum += d
  }
  return { max, mean: sum / a.length }
}

function agreement(a: Float32Array, b: Float32Array, classes: number): number {
  const rows = a.length / classes
  let same = 0
  for (let i = 0; i < rows; i++) if (argMax(a.subarray(i * classes, (i + 1) * classes)) === argMax(b.subarray(i * classes, (i + 1) * classes))) same++
  return same / rows
}
