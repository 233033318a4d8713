import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '../contract/errors'
import { HubId } from '../contract/hub'
import type { HoldingSource } from '../contract/model'
import { nearest } from '../contract/parse'
import { listWhole, trashWhole } from '../store/hubFolders'
import { candidatePaths } from '../store/paths'
import { listSamples } from '../store/samples'
import type { Deps } from './deps'

export type Kind = 'backbones' | 'data'
/** A backbone or a dataset under an id. */
export interface Holding { id: string; path: string; source: HoldingSource; name: string; summary: string; licence: string | null }
export interface Found { id: string | null; path: string }

const hubKind = { backbones: 'model', data: 'dataset' } as const
const words = { backbones: ['backbone', 'backbones', 'backbone.from'], data: ['dataset', 'datasets', 'data.from'] } as const

export function listHoldings({ resources, workspace, backbones, datasets }: Deps, kind: Kind): Holding[] {
  const samples = listSamples(resources, kind).map(sample => ({ ...sample, source: 'sample' as const }))
  const downloaded = listWhole(workspace, hubKind[kind])
  const fromHub = downloaded.map(({ path, origin: { id, licence } }) => ({ id, path, licence, source: 'hub' as const, name: id, summary: path }))
  const added = (kind === 'backbones' ? backbones : datasets).list()
  return [...samples, ...fromHub, ...added.map(({ id, path }) => ({ id, path, source: 'added' as const, name: id, summary: path, licence: null }))]
}

/** An id or a path, as recipes and commands give it -> where it is. An id wins over a path of the same name. */
export function find(deps: Deps, kind: Kind, from: string, bases: readonly string[]): Found {
  const known = listHoldings(deps, kind)
  const byId = known.find(({ id }) => id === from)
  if (byId) return { id: byId.id, path: byId.path }
  const candidates = candidatePaths(from, bases)
  const path = candidates.find(candidate => existsSync(candidate))
  if (path) return { id: known.find(one => one.path === path)?.id ?? null, path }
  throw notFound(kind, from, known.map(({ id }) => id), candidates)
}

function notFound(kind: Kind, from: string, ids: readonly string[], candidates: readonly string[]): AppError {
  const [noun, catalog, field] = words[kind]
  const near = nearest(from, ids)
  const looksLikePath = /[\\/]|^~|\.\w+$/.test(from)
  const hint = near ? `did you mean "${near}"?` : looksLikePath ? 'give a path that exists.' : `"engram catalog ${catalog}" lists the known ids; a path works too.`
  if (kind === 'data' && HubId.safeParse(from).success) return new AppError('not-found', `There is no dataset ${from} on this machine; "engram datasets get ${from}" or the Datasets page downloads it, if the hub has it.`, { field })
  if (kind === 'backbones' && HubId.safeParse(from).success) return new AppError('not-found', `There is no backbone ${from} on this machine; "engram backbones get ${from}" or the Backbones page downloads it, if the hub has it.`, { field })
  const what = looksLikePath ? `${candidates[0] ?? from} does not exist` : `"${from}" is neither a known ${noun} nor a path that exists`
  return new AppError('not-found', `${what}; ${hint}`, { field })
}

/** Adds a path to a registry under its real, absolute name. */
export function addHolding(deps: Deps, kind: Kind, path: string): Holding {
  const absolute = resolve(candidatePaths(path, [process.cwd()])[0]!)
  if (!existsSync(absolute)) throw new AppError('not-found', `${absolute} does not exist.`, { field: 'path' })
  const known = listHoldings(deps, kind)
  const real = realpathSync(absolute)
  const already = known.find(one => one.path === real)
  if (already) return already
  const entry = (kind === 'backbones' ? deps.backbones : deps.datasets).add(real, known.map(({ id }) => id))
  return listHoldings(deps, kind).find(({ id }) => id === entry.id)!
}

export function removeHolding(deps: Deps, kind: Kind, id: string): void {
  const found = listHoldings(deps, kind).find(one => one.id === id)
  if (found?.source === 'sample') throw new AppError('bad-input', `"${id}" comes with Engram and cannot be removed.`)
  if (found?.source === 'hub') return trashWhole(deps.workspace, { kind: hubKind[kind], id })
  ;(kind === 'backbones' ? deps.backbones : deps.datasets).remove(id)
}
