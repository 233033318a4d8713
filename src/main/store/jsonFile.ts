import { existsSync, readFileSync, renameSync } from 'node:fs'
import type { z } from 'zod'

/** Reads a small file of ours; one that cannot be read is put aside as `.broken` where that is possible, so that the workspace still opens. */
export function readJson<S extends z.ZodType>(path: string, schema: S, otherwise: () => z.output<S>): z.output<S> {
  if (!existsSync(path)) return otherwise()
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    putAside(path)
    return otherwise()
  }
}

function putAside(path: string): void {
  try {
    renameSync(path, `${path}.broken`)
  } catch { /* a read-only place, or a folder of that name: what is broken stays where it is */ }
}
