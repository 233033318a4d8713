import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Workspace } from './paths'

const KEPT_MS = 30 * 24 * 3600_000

/** Deletes runs that were removed long ago; the time of their removal ends their names. */
export function emptyOldTrash({ trash }: Workspace, now = Date.now()): void {
  for (const name of readdirSync(trash)) {
    const removedAt = Number(/\.(\d{13})$/.exec(name)?.[1] ?? Number.NaN)
    if (now - removedAt > KEPT_MS) rmSync(join(trash, name), { recursive: true, force: true })
  }
}
