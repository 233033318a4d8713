import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The name under which `target` is made before it is renamed, after removing what killed attempts left. Call it under a lock. */
export function stagingFor(target) {
  const prefix = `${basename(target)}.tmp-`
  const leftovers = existsSync(dirname(target)) ? readdirSync(dirname(target)) : []
  for (const name of leftovers) {
    if (name.startsWith(prefix)) rmSync(join(dirname(target), name), { recursive: true, force: true })
  }
  return `${target}.tmp-${process.pid}`
}
