import { basename } from 'node:path'
import { z } from 'zod'
import { AppError } from '../contract/errors'
import { writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'

const Entry = z.object({ id: z.string(), path: z.string(), addedAt: z.number() })
export type RegistryEntry = z.infer<typeof Entry>
const File = z.object({ format: z.literal(1), entries: z.array(Entry) })

/** Paths that a person added to a workspace, under ids; the files themselves stay where they are. */
export interface Registry {
  list(): RegistryEntry[]
  /** The entry of a path that is there already is returned as it is. */
  add(path: string, taken: readonly string[]): RegistryEntry
  remove(id: string): void
}

export function openRegistry(file: string): Registry {
  const read = () => readJson(file, File, () => ({ format: 1 as const, entries: [] })).entries
  const write = (entries: RegistryEntry[]) => writeJsonAtomic(file, { format: 1, entries } satisfies z.infer<typeof File>)
  return {
    list: read,
    add(path, taken) {
      const entries = read()
      const known = entries.find(entry => entry.path === path)
      if (known) return known
      const entry = { id: freeId(path, [...taken, ...entries.map(({ id }) => id)]), path, addedAt: Date.now() }
      write([...entries, entry])
      return entry
    },
    remove(id) {
      const entries = read()
      if (!entries.some(entry => entry.id === id)) throw new AppError('not-found', `"${id}" is not among those that were added, so there is nothing to remove.`)
      write(entries.filter(entry => entry.id !== id))
    },
  }
}

function freeId(path: string, taken: readonly string[]): string {
  const name = basename(path).replace(/\.(zip|parquet|safetensors|txt|csv|tsv|npz)$/i, '')
  const base = name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^-+|-+$/g, '') || 'added'
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}-${number}`
    if (!taken.includes(id)) return id
  }
}
