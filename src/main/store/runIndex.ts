import { rmSync } from 'node:fs'
import Database from 'libsql'
import { RunFacts } from './foldRun'

/** What was folded of a run's events, and up to which byte. */
export interface Folded { offset: number; facts: RunFacts }

/** A cache in SQLite of what the run folders say; losing it costs a second reading of them and nothing else. */
export interface RunIndex {
  get(run: string): Folded | null
  put(run: string, folded: Folded): void
  remove(run: string): void
  close(): void
}

const VERSION = 2
const TABLE = 'CREATE TABLE IF NOT EXISTS folded (run TEXT PRIMARY KEY, offset INTEGER NOT NULL, facts TEXT NOT NULL)'

export function openRunIndex(path: string): RunIndex {
  const database = openDatabase(path)
  if (!database) return memoryIndex()
  const select = database.prepare('SELECT offset, facts FROM folded WHERE run = ?')
  const insert = database.prepare('INSERT OR REPLACE INTO folded (run, offset, facts) VALUES (?, ?, ?)')
  const erase = database.prepare('DELETE FROM folded WHERE run = ?')
  return {
    get: run => attempt(() => parseRow(select.get(run))) ?? null,
    put: (run, { offset, facts }) => void attempt(() => insert.run(run, offset, JSON.stringify(facts))),
    remove: run => void attempt(() => erase.run(run)),
    close: () => void attempt(() => database.close()),
  }
}

/** Opens the file; one that is damaged or of another version is deleted and begun anew. */
function openDatabase(path: string): Database.Database | null {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const database = new Database(path, { timeout: 2000 })
      database.pragma('journal_mode = WAL')
      const version = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
      if (version !== 0 && version !== VERSION) throw new Error('another version')
      database.exec(TABLE)
      database.exec(`PRAGMA user_version = ${VERSION}`)
      database.prepare('SELECT run, offset, facts FROM folded LIMIT 1').get()
      return database
    } catch {
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
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

function parseRow(row: unknown): Folded | null {
  const { offset, facts } = (row ?? {}) as { offset?: unknown; facts?: unknown }
  if (typeof offset !== 'number' || typeof facts !== 'string') return null
  return { offset, facts: RunFacts.parse(JSON.parse(facts)) }
}

function memoryIndex(): RunIndex {
  const held = new Map<string, Folded>()
  return { get: run => held.get(run) ?? null, put: (run, folded) => void held.set(run, folded), remove: run => void held.delete(run), close: () => held.clear() }
}
