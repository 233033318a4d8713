import type { RunChange, RunEvent } from '../contract/run'
import { readEventsFrom } from '../store/eventLog'
import type { RunStore } from '../store/runStore'

/** At most ten flushes a second: a port has no back-pressure. */
const FLUSH_MS = 100
const CHANGES_MS = 500
/** A turn reads for at most this long, and looks for changes from outside in this many runs, so that thousands never hold up the window. */
const TURN_MS = 40
const TURN_RUNS = 1000
const TOLD_AT_ONCE = 1000
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

/** What becomes different from now on: cards of runs that are new or changed, and runs that are gone. */
export function watchChanges(store: RunStore, emit: (changes: RunChange[]) => void): () => void {
  let { revision } = store.changesSince(Infinity)
  return repeat(CHANGES_MS, () => {
    const more = store.refresh(TURN_MS, TURN_RUNS)
    const { cards, removed, revision: now } = store.changesSince(revision)
    revision = now
    const changes: RunChange[] = [...cards.map(card => ({ change: 'card' as const, card })), ...removed.map(run => ({ change: 'removed' as const, run }))]
    for (let at = 0; at < changes.length; at += TOLD_AT_ONCE) emit(changes.slice(at, at + TOLD_AT_ONCE))
    return more
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
