const WORD_START = 6
const ADJACENT = 7
const GAP = 0.2

/** How well the letters of a query occur in order in a text, and where; null where they do not. Starts of words and runs of letters count most. */
export function match(query: string, text: string): { score: number; at: number[] } | null {
  const wanted = query.toLowerCase().replace(/\s+/g, ''), lower = text.toLowerCase()
  let best: { score: number; at: number[] } | null = null
  for (let start = lower.indexOf(wanted[0] ?? ''); start >= 0 && wanted !== ''; start = lower.indexOf(wanted[0]!, start + 1)) {
    const found = matchFrom(wanted, lower, start)
    if (found && (!best || found.score > best.score)) best = found
  }
  return wanted === '' ? { score: 0, at: [] } : best
}

function matchFrom(wanted: string, text: string, start: number): { score: number; at: number[] } | null {
  const at: number[] = []
  let score = 0
  for (let i = 0, from = start; i < wanted.length; i++) {
    const here = nextPlace(wanted[i]!, text, from)
    if (here < 0) return null
    const gap = i === 0 ? 0 : here - from
    score += 1 - gap * GAP + (isWordStart(text, here) ? WORD_START : 0) + (i > 0 && gap === 0 ? ADJACENT : 0)
    at.push(here)
    from = here + 1
  }
  return { score: score - text.length * 0.01, at }
}

/** The next letter itself, or where it is not, the next word that begins with it. */
function nextPlace(letter: string, text: string, from: number): number {
  const near = text.indexOf(letter, from)
  if (near === from || near < 0) return near
  for (let at = near; at >= 0; at = text.indexOf(letter, at + 1)) if (isWordStart(text, at)) return at
  return near
}

const isWordStart = (text: string, at: number) => at === 0 || /[\s\-_./,(]/.test(text[at - 1]!)
