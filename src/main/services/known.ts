import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isInside } from '../store/paths'
import type { Deps } from './deps'
import { listHoldings } from './library'

/** Places that the window may ask to see: the workspace, what is listed in it, and exports, which carry their verification. */
export function isKnown(deps: Deps, path: string): boolean {
  const held = [...listHoldings(deps, 'backbones'), ...listHoldings(deps, 'data')].map(holding => holding.path)
  return [deps.workspace.root, ...held].some(folder => isInside(folder, path)) || existsSync(join(path, 'verification.json'))
}
