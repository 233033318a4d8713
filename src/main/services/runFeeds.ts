import type { RunCard, RunEvent } from '../contract/run'
import { readEventsFrom } from '../store/eventLog'
import type { RunStore } from '../store/runStore'

/** At most ten flushes a second: a port has no back-pressure. */
const FLUSH_MS = 100
const CHANGES_MS = 500
const CHUNK_BYTES = 1 << 20

/**
 * The events of a run after `after`, then those that come. Always read from events.jsonl, so it makes no difference whether this process
 * trains the run, another does, or nobody, and training never waits for a watcher.
 */
export function watchRun(store: RunStore, run: string, after: number, emit: (events: RunEvent[]) => void): () => void {
  store.manifest(run)
  const folder = store.folder(run)
  let offset = 0
  return repeat(FLUSH_MS, () => {
    const read = readEventsFrom(folder, offset, CHUNK_BYTES)
    const more = read.offset > offset
    offset = read.offset
    const fresh = read.events.filter(({ seq }) => seq > after)
    if (fresh.length > 0) emit(fresh)
    return more
  })
}

/** The card of every run once, then each that changed. */
export function watchChanges(store: RunStore, emit: (cards: RunCard[]) => void): () => void {
  const told = new Map<string, string>()
  return repeat(CHANGES_MS, () => {
    const changed = store.cards().filter(card => {
      const now = `${card.updatedAt} ${card.status} ${card.step} ${card.resumeStep}`
      if (told.get(card.id) === now) return false
      told.set(card.id, now)
      return true
    })
    if (changed.length > 0) emit(changed)
    return false
  })
}

/** Runs `work` at once and then at intervals; without a pause while it answers that there is more. Errors end nothing: the next turn may go well. */
function repeat(everyMs: number, work: () => boolean): () => void {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const turn = () => {
    let more = false
    try {
      more = work()
    } catch { /* a folder that is being moved away */ }
    if (!stopped) timer = setTimeout(turn, more ? 0 : everyMs)
  }
  timer = setTimeout(turn, 0)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
