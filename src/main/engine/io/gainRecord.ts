import type { SiteVector, VectorOf } from '../../contract/engram'
import type { ByteSource } from './bytes'
import { encodeSafetensors, openSafetensors, type TensorToWrite } from './safetensors'

/** A record of gains as a file: half floats suffice, because scales are kept as their distance from 1. */

const DISTANCE = 'distance'
const neutral: Record<VectorOf, number> = { gain: 1, shift: 0, columns: 1, rows: 1 }
const isVector = (of: string): of is VectorOf => Object.hasOwn(neutral, of)

export function encodeGains(vectors: readonly SiteVector[]): Promise<Uint8Array> {
  const tensors = vectors.map(({ of, site, values }): TensorToWrite =>
    ({ name: `${of}/${site}`, dtype: 'F16', shape: [values.length], data: values.map(x => x - neutral[of]) }))
  const distances = Float32Array.from(vectors.filter(({ of }) => of === 'gain'), ({ values }) => meanDistance(values))
  return encodeSafetensors([...tensors, { name: DISTANCE, dtype: 'F32', shape: [distances.length], data: distances }])
}

const meanDistance = (gain: Float32Array): number => gain.reduce((sum, x) => sum + Math.abs(x - 1), 0) / gain.length

export async function readGains(source: ByteSource): Promise<SiteVector[]> {
  const vectors = [...(await openSafetensors(source)).values()].map(async (tensor): Promise<SiteVector[]> => {
    const cut = tensor.name.indexOf('/'), of = tensor.name.slice(0, cut)
    return isVector(of) ? [{ of, site: tensor.name.slice(cut + 1), values: (await tensor.read()).map(x => x + neutral[of]) }] : []
  })
  return (await Promise.all(vectors)).flat()
}

/** Mean |γ − 1| per site, in the order that the sites were recorded in. */
export const readDistances = async (source: ByteSource): Promise<number[]> =>
  [...await (await openSafetensors(source)).get(DISTANCE)?.read() ?? []]
