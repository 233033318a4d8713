import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { HubFile, HubId, HubKind } from '../contract/hub'
import { onDisk, writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'
import type { Workspace } from './paths'

/** What a folder from the hub is, told by a file beside the weights. It is written before the first byte arrives. */
const Origin = z.object({ format: z.literal(1), kind: HubKind.default('model'), id: HubId, revision: z.string(), licence: z.string().nullable(), endpoint: z.string(), files: z.array(HubFile), startedAt: z.number() })
export type HubOrigin = z.infer<typeof Origin>
/** What a person named: a model or a dataset. */
export type HubRef = Pick<HubOrigin, 'kind' | 'id'>

const ORIGIN = 'hub.json'
/** Downloads under way: seen by nothing but their service, and moved out in one step when they are whole. */
const PARTIAL = '.partial'

const nameOf = (id: string) => id.replace('/', '--')
export const homeOf = ({ models, data }: Workspace, kind: HubKind): string => kind === 'model' ? models : data
export const partialFolder = (workspace: Workspace, { kind, id }: HubRef): string => join(homeOf(workspace, kind), PARTIAL, nameOf(id))
export const wholeFolder = (workspace: Workspace, { kind, id }: HubRef): string => join(homeOf(workspace, kind), nameOf(id))
export const partialLock = (workspace: Workspace, ref: HubRef): string => `${partialFolder(workspace, ref)}.lock`

function originsIn(folder: string): { path: string; origin: HubOrigin }[] {
  if (!existsSync(folder)) return []
  const found = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory() && entry.name !== PARTIAL).map(({ name }) => {
    const path = join(folder, name)
    return { path, origin: readJson(join(path, ORIGIN), Origin.nullable(), () => null) }
  })
  return found.filter((one): one is { path: string; origin: HubOrigin } => one.origin !== null).sort((a, b) => a.origin.startedAt - b.origin.startedAt)
}

/** What is here from the hub, and whole. */
export const listWhole = (workspace: Workspace, kind: HubKind) => originsIn(homeOf(workspace, kind))
/** Downloads that a person began and that are not whole yet. */
export const listPartial = (workspace: Workspace) => HubKind.options.flatMap(kind => originsIn(join(homeOf(workspace, kind), PARTIAL)))

export function beginPartial(workspace: Workspace, origin: HubOrigin): void {
  const folder = partialFolder(workspace, origin)
  onDisk(`make ${folder}`, () => mkdirSync(folder, { recursive: true }))
  writeJsonAtomic(join(folder, ORIGIN), origin)
}

/** Bytes of a download that are here. */
export const arrivedBytes = (workspace: Workspace, origin: HubOrigin): number =>
  origin.files.reduce((sum, { name }) => sum + sizeOf(join(partialFolder(workspace, origin), name)), 0)

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

export function finishPartial(workspace: Workspace, ref: HubRef): void {
  onDisk(`write ${wholeFolder(workspace, ref)}`, () => renameSync(partialFolder(workspace, ref), wholeFolder(workspace, ref)))
}

export const dropPartial = (workspace: Workspace, ref: HubRef): void => rmSync(partialFolder(workspace, ref), { recursive: true, force: true })

export function trashWhole(workspace: Workspace, ref: HubRef): void {
  onDisk(`remove ${ref.id}`, () => renameSync(wholeFolder(workspace, ref), join(workspace.trash, `${nameOf(ref.id)}.${Date.now()}`)))
}
