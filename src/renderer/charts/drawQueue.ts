/** Draws waiting charts one per animation frame, so that six charts never hold up typing. */
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
  const [draw] = waiting
  frame = 0
  if (!draw) return
  waiting.delete(draw)
  draw()
  if (waiting.size > 0 && !frame) frame = requestAnimationFrame(next)
}
