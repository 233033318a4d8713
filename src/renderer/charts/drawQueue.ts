/** Draws each waiting chart at most once per animation frame, and as many as a frame has time for, so that six charts never hold up typing. */
const frameBudgetMs = 10
const waiting = new Set<() => void>()
let frame = 0

export function requestDraw(draw: () => void): void {
  waiting.add(draw)
  if (!frame) frame = requestAnimationFrame(next)
}

export function forgetDraw(draw: () => void): void {
  waiting.delete(draw)
}

function next(): void {
  const start = performance.now()
  frame = 0
  for (const draw of [...waiting]) {
    if (performance.now() - start > frameBudgetMs) break
    waiting.delete(draw)
    draw()
  }
  if (waiting.size > 0 && !frame) frame = requestAnimationFrame(next)
}
