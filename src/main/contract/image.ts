import { z } from 'zod'
import { EvaluationId } from './evaluation'
import { RunId } from './run'

/** The one scheme besides its own files that the page may show images from. */
export const IMAGE_SCHEME = 'engram-image'

const place = { index: z.coerce.number().int().min(0).max(2 ** 31), side: z.coerce.number().int().min(16).max(1024).describe('largest side in pixels') }
/** One sample of a dataset: by an evaluation of a run that saw it, or by the dataset's id. Never a path. */
export const ImageAddress = z.discriminatedUnion('of', [
  z.object({ of: z.literal('run'), run: RunId, evaluation: EvaluationId, ...place }),
  z.object({ of: z.literal('data'), id: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,200}$/), ...place }),
])
export type ImageAddress = z.infer<typeof ImageAddress>

export const imageAddress = (image: ImageAddress): string => image.of === 'run'
  ? `${IMAGE_SCHEME}://run/${image.run}/${image.evaluation}/${image.index}/${image.side}`
  : `${IMAGE_SCHEME}://data/${image.id}/${image.index}/${image.side}`

/** Null for whatever is not exactly such an address. */
export function parseImageAddress(address: string): ImageAddress | null {
  const [scheme, rest = ''] = address.split('://')
  const parts = rest.split('/')
  if (scheme !== IMAGE_SCHEME || !parts.slice(1).every(part => /^[a-z0-9.-]+$/.test(part))) return null
  const [of, a, b, c, d, ...more] = parts
  const numbers = of === 'run' ? [c, d] : [b, c]
  if (!numbers.every(part => /^\d{1,10}$/.test(part ?? ''))) return null
  const fields = of === 'run' ? { of, run: a, evaluation: b, index: c, side: d } : { of, id: a, index: b, side: c }
  if (more.length > 0 || (of === 'data' && d !== undefined)) return null
  return ImageAddress.safeParse(fields).data ?? null
}
