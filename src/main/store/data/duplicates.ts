import { createHash } from 'node:crypto'
import type { DuplicateReport } from '../../contract/dataset'
import { mapLimited } from './pool'
import { BrokenImage, type DataSample, type DatasetSource, type ImageInput } from './types'

const IN_FLIGHT = 16
const SHOWN = 200

/** Images that are the same byte for byte. One that is listed twice under its own name (a validation part of the training list) is no duplicate. */
export async function findDuplicates(source: DatasetSource): Promise<DuplicateReport> {
  const byContent = new Map<string, DataSample[]>()
  await mapLimited(source.samples, IN_FLIGHT, async sample => {
    const content = await contentOf(source, sample)
    if (content !== null) byContent.set(content, [...byContent.get(content) ?? [], sample])
  })
  const groups = [...byContent.values()].filter(group => new Set(group.map(({ file }) => file)).size > 1)
  const shown = groups.sort((a, b) => Number(isAcross(b)) - Number(isAcross(a)) || first(a) - first(b)).slice(0, SHOWN)
  return {
    images: source.samples.length, groups: groups.length,
    across: groups.filter(isAcross).flatMap(group => group.filter(({ split }) => split !== 'train')).length,
    relabelled: groups.filter(group => new Set(group.map(({ label }) => label)).size > 1).length,
    shown: shown.map(group => group.map(({ file, split, label }) => ({ file, split, label: source.classes[label] ?? String(label) }))),
  }
}

const isAcross = (group: readonly DataSample[]) => new Set(group.map(({ split }) => split)).size > 1
const first = (group: readonly DataSample[]) => Math.min(...group.map(({ index }) => index))

/** A broken image is told of elsewhere. */
async function contentOf(source: DatasetSource, sample: DataSample): Promise<string | null> {
  try {
    const input = await source.read(sample)
    return input instanceof Uint8Array && input.length === 0 ? null : digest(input)
  } catch (thrown) {
    if (thrown instanceof BrokenImage) return null
    throw thrown
  }
}

function digest(input: ImageInput): string {
  const hash = createHash('sha256')
  if (input instanceof Uint8Array) return hash.update(input).digest('hex')
  return hash.update(`${input.width} ${input.height} ${input.channels} `).update(input.pixels).digest('hex')
}
