import type { DuplicateReport } from '../contract/dataset'
import { findDuplicates } from '../store/data/duplicates'
import { openDataset } from '../store/data/open'
import type { DatasetFacts } from '../store/data/types'

/** While a recipe is being written the same dataset is asked for at each change; listing it again each time would be felt. */
const FRESH_MS = 30_000

/** Lists the files of datasets. */
export function createListing() {
  const seen = new Map<string, { at: number; source: Promise<DatasetFacts> }>()

  /** As it is now. */
  function open(path: string): Promise<DatasetFacts> {
    const source = openAndClose(path)
    seen.set(path, { at: Date.now(), source })
    source.catch(() => seen.delete(path))
    return source
  }
  /** As it is now or was a moment ago. */
  function facts(path: string): Promise<DatasetFacts> {
    const known = seen.get(path)
    return known && Date.now() - known.at < FRESH_MS ? known.source : open(path)
  }
  return { open, facts }
}

async function openAndClose(path: string): Promise<DatasetFacts> {
  const source = await openDataset(path)
  await source.close()
  return source
}

/** Finds the same image under two names: reads every file once, and the answer holds until a file changes. */
export function createDuplicates() {
  const compared = new Map<string, Promise<DuplicateReport>>()
  return async (path: string): Promise<DuplicateReport> => {
    const source = await openDataset(path)
    try {
      const known = compared.get(source.fingerprint) ?? findDuplicates(source)
      compared.set(source.fingerprint, known)
      known.catch(() => compared.delete(source.fingerprint))
      return await known
    } finally {
      await source.close()
    }
  }
}
