import type { RunCard, RunChange, RunEvent } from '../contract/run'
import { readEventsFrom } from '../store/eventLog'
import type { RunStore } from '../store/runStore'
import { everySecond } from './everySecond'

const CHANGES_MS = 1000
/** A turn reads for at most this long, and looks for changes from outside in this many runs, so that thousands never hold up the window. */
const TURN_MS = 16
const TURN_RUNS = 1000
/** Before anything is told: what runs, and folders that the index does not know. */
const FIRST_MS = 300
const TOLD_FIRST = 200
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
  return repeat(() => {
    const read = readEventsFrom(folder, offset, CHUNK_BYTES)
    const more = read.offset - offset > CHUNK_BYTES / 2
    offset = read.offset
    const fresh = read.events.filter(({ seq }) => seq > after)
    if (fresh.length > 0) emit(fresh)
    return more
  })
}

/**
 * Every run that is known, the newest first, then what becomes different: runs that are new or changed, and those that are gone. After each
 * time it was told how many folders have still to be read, all that is known until then was told.
 */
export function watchChanges(store: RunStore, emit: (changes: RunChange[]) => void): () => void {
  let revision = 0
  let toldAt = -Infinity
  let toldUnread = -1
  const tell = () => {
    const { cards, removed, unread, revision: now } = store.changesSince(revision)
    const changes: RunChange[] = [...newestFirst(cards).map(card => ({ change: 'card' as const, card })), ...removed.map(run => ({ change: 'removed' as const, run }))]
    if (unread !== toldUnread) changes.push({ change: 'unread', runs: unread })
    revision = now
    toldAt = performance.now()
    toldUnread = unread
    for (const some of inParts(changes)) emit(some)
  }
  store.refresh(FIRST_MS, 0)
  tell()
  return repeat(() => {
    const more = store.refresh(TURN_MS, TURN_RUNS)
    if (!more || performance.now() - toldAt > CHANGES_MS) tell()
    return more
  })
}

const newestFirst = (cards: readonly RunCard[]): RunCard[] => cards.toSorted((a, b) => b.createdAt - a.createdAt)

/** The first part is what a window shows, so that it need not wait for the others. */
function* inParts(changes: RunChange[]): Generator<RunChange[]> {
  for (let at = 0; at < changes.length;) {
    const end = at === 0 ? TOLD_FIRST : at + TOLD_AT_ONCE
    yield changes.slice(at, end)
    at = end
  }
}

/** Runs `work` at once and then each second; without a pause while it answers that there is more. Errors end nothing: the next turn may go well. */
function repeat(work: () => boolean): () => void {
  let timer: NodeJS.Timeout | undefined
  const turn = () => {
    timer = undefined
    try {
      if (work()) timer = setTimeout(turn, 0)
    } catch { /* a folder that is being moved away */ }
  }
  timer = setTimeout(turn, 0)
  const leave = everySecond(() => { if (timer === undefined) turn() })
  return () => {
    leave()
    clearTimeout(timer)
  }
}
