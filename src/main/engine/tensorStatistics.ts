import type { TensorCard } from '../contract/model'
import type { StoredTensor } from './io/safetensors'
import { count } from './sites'

/** Numbers read at once: a large embedding never lies in memory whole. */
const PART = 1 << 20

/** What a stored tensor holds. Moments in double precision about a first guess of the mean, so that a large mean costs no digits. */
export async function tensorCard({ name, dtype, shape, read }: Pick<StoredTensor, 'name' | 'dtype' | 'shape' | 'read'>): Promise<TensorCard> {
  const size = count(shape)
  let finite = 0, zeros = 0, sum = 0, squares = 0, min = Infinity, max = -Infinity, about: number | null = null
  for (let at = 0; at < size; at += PART) {
    for (const value of await read([at, Math.min(size, at + PART)])) {
      if (!Number.isFinite(value)) continue
      about ??= value
      const off = value - about
      finite++
      sum += off
      squares += off * off
      if (value === 0) zeros++
      if (value < min) min = value
      if (value > max) max = value
    }
  }
  const none = finite === 0, mean = sum / finite
  return {
    name, dtype, shape: [...shape], notFinite: size - finite,
    mean: none ? null : about! + mean, std: none ? null : Math.sqrt(Math.max(0, squares / finite - mean * mean)), min: none ? null : min, max: none ? null : max,
    zeros: size === 0 ? 0 : zeros / size,
  }
}
