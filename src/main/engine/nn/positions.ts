import { tf, type Tensor } from '../tf'

export type Interpolation = 'timm' | 'vit' | 'dinov2'

/**
 * Position embeddings of a `from` x `from` grid for another grid, prefix rows untouched. table [prefix + from², d].
 * timm resamples with antialiasing (cubic a = -0.5), transformers without (a = -0.75); both with half-pixel centres.
 */
export function interpolatePositions(table: Tensor, from: number, height: number, width: number, how: Interpolation): Tensor {
  if (height === from && width === from) return table
  const prefix = table.shape[0]! - from * from
  const rows = resampling(from, height, how === 'timm'), columns = resampling(from, width, how === 'timm')
  const mix = tf.tensor2d(kronecker(rows, columns, from), [height * width, from * from])
  const grid = tf.matMul(mix, table.slice([prefix, 0], [-1, -1]) as never) as Tensor
  return prefix === 0 ? grid : tf.concat([table.slice([0, 0], [prefix, -1]), grid], 0)
}

/** One dimension of cubic resampling as rows of weights over the `from` inputs. */
function resampling(from: number, to: number, antialias: boolean): number[][] {
  const scale = from / to, stretch = antialias ? Math.max(1, scale) : 1, a = antialias ? -0.5 : -0.75
  return Array.from({ length: to }, (_, i) => antialias ? antialiasedRow(i) : edgeRow(i))

  function antialiasedRow(i: number): number[] {
    const center = scale * (i + 0.5), reach = 2 * stretch, row = new Array<number>(from).fill(0)
    const low = Math.max(0, Math.trunc(center - reach + 0.5)), high = Math.min(from, Math.trunc(center + reach + 0.5))
    let total = 0
    for (let j = low; j < high; j++) total += row[j] = cubic((j - center + 0.5) / stretch, a)
    return row.map(w => w / total)
  }
  function edgeRow(i: number): number[] {
    const center = scale * (i + 0.5) - 0.5, left = Math.floor(center), row = new Array<number>(from).fill(0)
    for (let j = left - 1; j <= left + 2; j++) row[Math.min(from - 1, Math.max(0, j))]! += cubic(j - center, a)
    return row
  }
}

function cubic(x: number, a: number): number {
  const t = Math.abs(x)
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0
}

function kronecker(rows: number[][], columns: number[][], from: number): Float32Array {
  const out = new Float32Array(rows.length * columns.length * from * from)
  let at = 0
  for (const r of rows) for (const c of columns) for (const rv of r) for (const cv of c) out[at++] = rv * cv
  return out
}
