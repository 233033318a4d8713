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
const updateShare = 0.003
const longestRestMs = 10_000
const updates = new Set<() => void>()
let updateFrame = 0
let later: ReturnType<typeof setTimeout> | undefined
let restedAt = 0

/** For what only new points ask: all charts in one frame, since the second takes a fraction of what the first does, and then a rest that makes up for it. */
export function requestUpdate(draw: () => void): void {
  if (!waiting.has(draw)) updates.add(draw)
  updateFrame ||= requestAnimationFrame(update)
}

function update(): void {
  const start = performance.now()
  updateFrame = 0
  clearTimeout(later)
  if (start < restedAt) {
    // Where no more points come.
    later = setTimeout(() => { updateFrame ||= requestAnimationFrame(update) }, restedAt - start + 1000)
    return
  }
  for (const draw of updates) draw()
  updates.clear()
  restedAt = start + Math.min(longestRestMs, (performance.now() - start) / (updateShare * navigator.hardwareConcurrency))
}
