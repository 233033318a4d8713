import { createHash } from 'node:crypto'
import { renameSync, rmSync, statSync } from 'node:fs'
import Database from 'libsql'
import { z } from 'zod'
import { fieldsOf } from '../contract/fields'
import type { Recipe } from '../contract/recipe'
import { RunCard } from '../contract/run'
import { RunFacts } from './foldRun'
import { cardColumns, createRunSearch, type RunSearch } from './runSearch'

/** What was folded of a run's events, and up to which byte. */
export interface Folded { offset: number; facts: RunFacts }
/** A card without its sparklines, and how the folder was when it was read; a null signature is never trusted. */
export interface IndexedCard { card: RunCard; signature: string | null }
export interface IndexRow extends Folded, IndexedCard { recipe: Recipe }

/** A cache in SQLite of what the run folders say; losing it costs a second reading of them and nothing else. */
export interface RunIndex extends RunSearch {
  all(): IndexedCard[]
  folded(run: string): Folded | null
  /** False where the row could not be written, because another program holds the file. */
  put(row: IndexRow): boolean
  remove(run: string): void
  /** Writes many rows at once, or each by itself where that is not possible. */
  together(work: () => void): void
  close(): void
}

// What is long stands last: rows are then searched without reading it.
const TABLE = `
  CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, signature TEXT, words TEXT NOT NULL, ${cardColumns}, card TEXT NOT NULL, recipe TEXT NOT NULL, offset INTEGER NOT NULL, facts TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS fields (field TEXT PRIMARY KEY)`
const INSERT = 'INSERT OR REPLACE INTO runs (run, signature, words, card, recipe, offset, facts) VALUES (?, ?, ?, ?, ?, ?, ?)'
/** Rows of another shape belong to another version, so what is read back needs no second check. */
const VERSION = createHash('sha256').update(TABLE + JSON.stringify([RunCard, RunFacts].map(schema => z.toJSONSchema(schema)))).digest().readInt32BE() & 0x7fffffff

export function openRunIndex(path: string): RunIndex {
  // Where no file can be kept the index lives in memory, as long as the program.
  const database = openDatabase(path) ?? openDatabase(':memory:')!
  const insert = database.prepare(INSERT)
  const insertField = database.prepare('INSERT OR IGNORE INTO fields (field) VALUES (?)')
  const select = database.prepare('SELECT offset, facts FROM runs WHERE run = ?')
  const erase = database.prepare('DELETE FROM runs WHERE run = ?')
  const knownFields = new Set<string>()

  function put({ card, signature, offset, facts, recipe }: IndexRow): void {
    const fields = Object.fromEntries(fieldsOf({ ...recipe, name: undefined }))
    insert.run(card.id, signature, wordsOf(card), JSON.stringify(card), JSON.stringify(fields), offset, JSON.stringify(facts))
    for (const field of Object.keys(fields)) {
      if (knownFields.has(field)) continue
      insertField.run(field)
      knownFields.add(field)
    }
  }

  return {
    ...createRunSearch(database),
    all: () => attempt(() => allCards(database)) ?? [],
    folded: run => attempt(() => parseFolded(select.get(run))) ?? null,
    put: row => attempt(() => { put(row); return true }) ?? false,
    remove: run => void attempt(() => erase.run(run)),
    together(work) {
      const begun = attempt(() => { database.exec('BEGIN IMMEDIATE'); return true }) ?? false
      try {
        work()
      } finally {
        if (begun) attempt(() => database.exec('COMMIT'))
      }
    },
    close: () => void attempt(() => database.close()),
  }
}

/** Everything that a search looks through. */
const wordsOf = ({ name, id, backbone, data, method, san, status, labels }: RunCard): string =>
  [name, id, backbone, data, method, san ? 'san' : '', status, ...labels.tags, labels.note].join(' ').toLowerCase()

/** The index is only an index and goes; a folder in its place is somebody's, and is put aside. */
function makeRoom(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) renameSync(path, `${path}.aside-${Date.now()}`)
  else rmSync(path, { force: true })
}

/** Opens the file; one that is damaged or of another version is deleted and begun anew. */
function openDatabase(path: string): Database.Database | null {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const database = new Database(path, { timeout: 2000 })
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = NORMAL')
      // A busy disk can hold up a checkpoint for seconds: one after 64 MB is enough.
      database.pragma('wal_autocheckpoint = 16384')
      const version = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
      if (version !== 0 && version !== VERSION) throw new Error('another version')
      database.exec(TABLE)
      database.exec(`PRAGMA user_version = ${VERSION}`)
      database.prepare('SELECT * FROM runs LIMIT 1').get()
      return database
    } catch {
      // in a read-only place nothing can be deleted
      for (const suffix of ['', '-wal', '-shm']) attempt(() => makeRoom(path + suffix))
    }
  }
  return null
}

/** Two programs may look at one workspace: a busy or broken index is as good as an empty one. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

function parseFolded(row: unknown): Folded | null {
  const { offset, facts } = (row ?? {}) as { offset?: unknown; facts?: unknown }
  if (typeof offset !== 'number' || typeof facts !== 'string') return null
  return { offset, facts: JSON.parse(facts) as RunFacts }
}

/** In one row: ten thousand of them cost more on the way out of SQLite than everything else. */
function allCards(database: Database.Database): IndexedCard[] {
  const row = database.prepare(`SELECT group_concat(json_array(signature) || card, char(10)) AS cards FROM runs`).get() as { cards: string | null }
  return (row.cards ?? '').split('\n').filter(line => line !== '').map(line => {
    const at = line.indexOf('{')
    const [signature = null] = JSON.parse(line.slice(0, at)) as (string | null)[]
    return { signature, card: JSON.parse(line.slice(at)) as RunCard }
  })
}
