import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type RunCard, RunId, type RunManifest } from '../contract/run'
import { checkpointSteps } from './checkpoints'
import { eventsFile, readEventsFrom } from './eventLog'
import { cardOf, foldEvents, noFacts } from './foldRun'
import { readLabels } from './labels'
import { liveRunLock, readManifest } from './runFolder'
import type { Folded, IndexedCard, RunIndex } from './runIndex'
import { settledTime, signatureOf } from './runSignature'

interface Entry extends IndexedCard { revision: number }
/** `unread`: folders that are known by name alone so far. */
export interface RunChanges { revision: number; cards: RunCard[]; removed: string[]; unread: number }

const FOLD_CHUNK_BYTES = 8 << 20
/** From here on new runs are written to the index at once; one by one would wait for the disk each time. */
const MANY = 20

/** The cards of all runs in memory, kept true to the folders by looking only at what has changed. */
export class RunTable {
  private readonly entries = new Map<string, Entry>()
  private readonly removals = new Map<string, number>()
  /** Of runs that are under way: what the next look goes on from. */
  private readonly working = new Map<string, { manifest: RunManifest; folded: Folded }>()
  /** Runs that waited when they were last looked at. */
  private readonly waiting = new Set<string>()
  /** Under way, or changed too shortly ago to be trusted; the one that was looked at longest ago first. */
  private readonly unsettled = new Set<string>()
  private readonly toRead = new Set<string>()
  private toCheck: string[]
  /** Until each was compared with its folder once, what the index says is hearsay. */
  private firstChecks: number
  private listedAt: number | null = null
  private revision = 0

  /** `queued` says which runs wait. */
  constructor(private readonly runsFolder: string, private readonly index: RunIndex, private readonly queued: () => ReadonlySet<string>) {
    for (const { card, signature } of index.all()) {
      this.entries.set(card.id, { card, signature, revision: ++this.revision })
      if (card.status === 'queued') this.waiting.add(card.id)
      if (signature === null) this.unsettled.add(card.id)
    }
    this.toCheck = [...this.entries.keys()]
    this.firstChecks = this.toCheck.length
  }

  /** Reads one run from its folder; null where there is none that can be read. The card has its sparklines. */
  look(run: string): RunCard | null {
    const folder = join(this.runsFolder, run)
    this.toRead.delete(run)
    // Read before the lock: a run leaves the queue only after its lock is taken.
    const waiting = this.queued().has(run)
    const manifest = this.working.get(run)?.manifest ?? readManifest(folder)
    if (!manifest || !existsSync(folder)) return this.forget(run)
    const before = this.working.get(run)?.folded ?? this.index.folded(run) ?? { offset: 0, facts: noFacts() }
    const folded = foldOn(folder, before, manifest.recipe.evaluate.best)
    const liveSince = liveRunLock(folder)?.since ?? null
    const place = { folder, liveSince, lastCheckpoint: checkpointSteps(folder).at(-1) ?? null, labels: readLabels(folder), waiting }
    const card = cardOf(manifest, folded.facts, place)
    // Taken after reading: what changed meanwhile is too fresh to be trusted.
    const signature = liveSince === null ? signatureOf(folder, card.resumeStep !== null) : null
    this.keep({ ...card, losses: [], accuracies: [] }, signature, folded, manifest)
    return card
  }

  /**
   * Looks at new runs and at those under way, and checks the next `slice` of the others for changes from outside.
   * True when the time was not enough and there is more to read.
   */
  refresh(budgetMs: number, slice: number): boolean {
    const end = performance.now() + budgetMs
    this.list()
    const work = () => {
      for (const run of this.due(slice)) {
        if (run !== null) this.look(run)
        if (performance.now() > end) break
      }
    }
    if (this.toRead.size > MANY) this.index.together(work)
    else work()
    return this.toRead.size > 0 || this.firstChecks > 0
  }

  changesSince(since: number): RunChanges {
    return {
      revision: this.revision,
      cards: [...this.entries.values()].filter(entry => entry.revision > since).map(entry => entry.card),
      removed: [...this.removals].filter(([, at]) => at > since).map(([run]) => run), unread: this.toRead.size,
    }
  }

  private keep(card: RunCard, signature: string | null, folded: Folded, manifest: RunManifest): void {
    const before = this.entries.get(card.id)
    const changed = !before || JSON.stringify(before.card) !== JSON.stringify(card)
    const known = !changed && before.signature === signature
    const written = known || this.index.put({ card, signature, ...folded, recipe: manifest.recipe })
    this.entries.set(card.id, { card, signature: written ? signature : null, revision: changed ? ++this.revision : before.revision })
    this.removals.delete(card.id)
    this.unsettled.delete(card.id)
    if (!written || signature === null) this.unsettled.add(card.id)
    if (signature === null) this.working.set(card.id, { manifest, folded })
    else this.working.delete(card.id)
  }

  private forget(run: string): null {
    this.working.delete(run)
    this.waiting.delete(run)
    this.unsettled.delete(run)
    this.index.remove(run)
    if (this.entries.delete(run)) this.removals.set(run, ++this.revision)
    return null
  }

  /** Which folders there are; read only where the folder of runs has changed. */
  private list(): void {
    const time = settledTime(this.runsFolder)
    if (time !== null && time === this.listedAt) return
    const found = new Set(existsSync(this.runsFolder) ? readdirSync(this.runsFolder).filter(name => RunId.safeParse(name).success) : [])
    for (const run of this.entries.keys()) if (!found.has(run)) this.forget(run)
    for (const run of latestFirst([...found].filter(run => !this.entries.has(run)))) this.toRead.add(run)
    this.listedAt = time
  }

  /** Runs to look at, of each kind in turn, so that none waits for all of another; null for each that was found as it was. */
  private* due(slice: number): Generator<string | null> {
    yield* this.queueChanges()
    const kinds = [[...this.unsettled].values(), [...this.toRead].values(), this.checked(slice)]
    while (kinds.length > 0) {
      for (const kind of [...kinds]) {
        const next = kind.next()
        if (next.done) kinds.splice(kinds.indexOf(kind), 1)
        else yield next.value
      }
    }
  }

  private* queueChanges(): Generator<string> {
    const now = this.queued()
    for (const run of new Set([...now, ...this.waiting])) {
      if (now.has(run) === this.waiting.has(run)) continue
      if (now.has(run)) this.waiting.add(run)
      else this.waiting.delete(run)
      if (this.entries.has(run)) yield run
    }
  }

  /** Of the next runs in turn, those whose folder is not as it was. */
  private* checked(slice: number): Generator<string | null> {
    if (this.toCheck.length === 0) this.toCheck = [...this.entries.keys()]
    for (let left = slice; left > 0 && this.toCheck.length > 0; left--) {
      const run = this.toCheck.pop()!
      const { signature = null, card } = this.entries.get(run) ?? {}
      const changed = card && signature !== null && signature !== signatureOf(join(this.runsFolder, run), card.resumeStep !== null)
      this.firstChecks = Math.max(0, this.firstChecks - 1)
      yield changed ? run : null
    }
  }
}

/** By the time that ends their ids: what a person looks for is there first. */
const latestFirst = (runs: readonly string[]): string[] =>
  runs.map(run => ({ run, time: /\d{6}-\d{6}(-\d+)?$/.exec(run)?.[0] ?? '' })).sort((a, b) => a.time < b.time ? 1 : a.time > b.time ? -1 : 0).map(({ run }) => run)

/** Reads only what was added since; a file that became shorter is another file and is read from its start. */
function foldOn(runFolder: string, before: Folded, bestMetric: string): Folded {
  const size = statSync(eventsFile(runFolder), { throwIfNoEntry: false })?.size ?? 0
  if (size === before.offset) return before
  const from = size < before.offset ? { offset: 0, facts: noFacts() } : before
  let { offset } = from
  const facts = structuredClone(from.facts)
  while (offset < size) {
    const read = readEventsFrom(runFolder, offset, FOLD_CHUNK_BYTES)
    if (read.offset <= offset) break
    foldEvents(facts, read.events, bestMetric)
    offset = read.offset
  }
  return offset === before.offset ? before : { offset, facts }
}
