import type { CacheReport } from '../contract/dataset'
import { cacheReport, clearCache } from '../store/data/cache/room'
import type { Deps } from './deps'

/** The cache of decoded images: each of its calls answers with what is left. */
export function createImageCache({ workspace, settings }: Deps) {
  const cache = (): Promise<CacheReport> => cacheReport(workspace.cache, settings.get().cacheLimitBytes)
  async function clear(key?: string): Promise<CacheReport> {
    await clearCache(workspace.cache, key)
    return cache()
  }
  return {
    cache,
    /** Forgets the decoded images of one dataset at one size. */
    dropCache: ({ key }: { key: string }): Promise<CacheReport> => clear(key),
    clearCache: (): Promise<CacheReport> => clear(),
  }
}
