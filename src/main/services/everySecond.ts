const works = new Set<() => void>()
let timer: NodeJS.Timeout | undefined

/** Works each second, all at once: a window that is told everything in one turn wakes, and is drawn, once. */
export function everySecond(work: () => void): () => void {
  works.add(work)
  timer ??= setInterval(() => { for (const one of works) one() }, 1000)
  return () => {
    works.delete(work)
    if (works.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}
