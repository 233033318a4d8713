const AHEAD = 2

/** Makes the items from … count-1 in order, the next two already while the current one is in use. */
export async function* prefetched<T>(from: number, count: number, make: (i: number) => Promise<T>): AsyncGenerator<T> {
  const pending: Promise<T>[] = []
  let next = from
  const fill = () => {
    while (next < count && pending.length < AHEAD) {
      const item = make(next++)
      // Its failure is reported when its turn comes; until then it must not count as unhandled.
      item.catch(() => undefined)
      pending.push(item)
    }
  }
  try {
    for (fill(); pending.length > 0; fill()) {
      const item = await pending.shift()!
      fill()
      yield item
    }
  } finally {
    // A consumer that stops early may close the files next; what is still being read must end first.
    await Promise.allSettled(pending)
  }
}
