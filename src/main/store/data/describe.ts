import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatasetCard } from '../../contract/dataset'
import { brokenIn, keyPrefix } from './cache/entry'
import { cacheReport } from './cache/room'
import { openDataset } from './open'
import { type DatasetFacts, SPLITS } from './types'

/** What a dataset's card says of its content. */
export type DatasetFields = Pick<DatasetCard, 'name' | 'path' | 'kind' | 'classes' | 'splits' | 'counts' | 'broken' | 'cacheBytes'>

/** Lists a dataset and looks up what earlier runs found out; decodes nothing. */
export async function describeDataset(path: string, cacheDir: string): Promise<DatasetFields> {
  const source = await openDataset(path)
  try {
    return await describeSource(source, cacheDir)
  } finally {
    await source.close()
  }
}

export async function describeSource(source: DatasetFacts, cacheDir: string): Promise<DatasetFields> {
  const { name, path, kind, classes } = source
  const counts: Record<string, number[]> = {}
  for (const split of SPLITS) {
    const perClass = classes.map(() => 0)
    for (const sample of source.samples) if (sample.split === split) perClass[sample.label]!++
    if (perClass.some(n => n > 0)) counts[split] = perClass
  }
  const splits = Object.fromEntries(Object.entries(counts).map(([split, perClass]) => [split, perClass.reduce((a, b) => a + b, 0)]))
  const keys = (await readdir(cacheDir).catch(() => [])).filter(key => key.startsWith(keyPrefix(source.fingerprint)))
  const broken = new Map<number, string>()
  for (const key of keys) for (const [sample, reason] of await brokenIn(join(cacheDir, key))) broken.set(sample, reason)
  const { entries } = await cacheReport(cacheDir, 0)
  return {
    name, path, kind, classes: [...classes], splits, counts,
    broken: [...broken].sort(([a], [b]) => a - b).flatMap(([i, reason]) => (source.samples[i] ? [{ file: source.samples[i].file, reason }] : [])),
    cacheBytes: entries.filter(entry => keys.includes(entry.key)).reduce((sum, entry) => sum + entry.bytes, 0),
  }
}
