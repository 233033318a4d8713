/** Applies `work` to all items, at most `limit` at a time. The first failure ends it once what is running has ended. */
export async function mapLimited<T, R>(items: readonly T[], limit: number, work: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  let failed = false
  const worker = async () => {
    while (next < items.length && !failed) {
      const i = next++
      try {
        results[i] = await work(items[i]!, i)
      } catch (thrown) {
        failed = true
        throw thrown
      }
    }
  }
  const workers = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker))
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason
  return results
}
