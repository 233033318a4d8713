/** Draws each waiting chart at most once per animation frame, and as many as a frame has time for, so that six charts never hold up typing. */
const frameBudgetMs = 10
const waiting = new Set<() => void>()
let frame = 0

export function requestDraw(draw: () => void): void {
  waiting.add(draw)
  updates.delete(draw)
  if (!frame) frame = requestAnimationFrame(next)
}

export function forgetDraw(draw: () => void): void {
  waiting.delete(draw)
  updates.delete(draw)
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

/** How much of the machine's processors the drawing of new points may take: they belong to the training that makes the points. */
const updateShare = 0.004
const tickMs = 1000
const updates = new Set<() => void>()
let updateFrame = 0
let later: ReturnType<typeof setTimeout> | undefined
let [left, countedAt] = [0, 0]

/** For what only new points ask: the chart that has waited longest first, as many as the share allows; the others have their turn with later points. */
export function requestUpdate(draw: () => void): void {
  if (!waiting.has(draw)) updates.add(draw)
  updateFrame ||= requestAnimationFrame(update)
}

function update(): void {
  const share = updateShare * navigator.hardwareConcurrency
  const start = performance.now()
  updateFrame = 0
  left = Math.min(tickMs * share, left + (start - countedAt) * share)
  countedAt = start
  for (const draw of [...updates]) {
    if (left <= 0) break
    const before = performance.now()
    updates.delete(draw)
    draw()
    left -= performance.now() - before
  }
  clearTimeout(later)
  // Where no more points come.
  if (updates.size > 0) later = setTimeout(() => { updateFrame ||= requestAnimationFrame(update) }, 2 * tickMs)
}
