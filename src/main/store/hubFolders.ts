import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { HubFile, HubId } from '../contract/hub'
import { onDisk, writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'
import type { Workspace } from './paths'

/** What a folder from the hub is, told by a file beside the weights. It is written before the first byte arrives. */
const Origin = z.object({ format: z.literal(1), id: HubId, revision: z.string(), licence: z.string().nullable(), endpoint: z.string(), files: z.array(HubFile), startedAt: z.number() })
export type HubOrigin = z.infer<typeof Origin>

const ORIGIN = 'hub.json'
/** Downloads under way: seen by nothing but their service, and moved out in one step when they are whole. */
const PARTIAL = '.partial'

const nameOf = (id: string) => id.replace('/', '--')
export const partialFolder = ({ models }: Workspace, id: string): string => join(models, PARTIAL, nameOf(id))
export const wholeFolder = ({ models }: Workspace, id: string): string => join(models, nameOf(id))
export const partialLock = (workspace: Workspace, id: string): string => `${partialFolder(workspace, id)}.lock`

function originsIn(folder: string): { path: string; origin: HubOrigin }[] {
  if (!existsSync(folder)) return []
  const found = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory() && entry.name !== PARTIAL).map(({ name }) => {
    const path = join(folder, name)
    return { path, origin: readJson(join(path, ORIGIN), Origin.nullable(), () => null) }
  })
  return found.filter((one): one is { path: string; origin: HubOrigin } => one.origin !== null).sort((a, b) => a.origin.startedAt - b.origin.startedAt)
}

/** Models from the hub that are whole. */
export const listWhole = ({ models }: Workspace) => originsIn(models)
/** Downloads that a person began and that are not whole yet. */
export const listPartial = ({ models }: Workspace) => originsIn(join(models, PARTIAL))

export function beginPartial(workspace: Workspace, origin: HubOrigin): void {
  const folder = partialFolder(workspace, origin.id)
  onDisk(`make ${folder}`, () => mkdirSync(folder, { recursive: true }))
  writeJsonAtomic(join(folder, ORIGIN), origin)
}

/** Bytes of a download that are here. */
export const arrivedBytes = (workspace: Workspace, { id, files }: HubOrigin): number =>
  files.reduce((sum, { name }) => sum + sizeOf(join(partialFolder(workspace, id), name)), 0)

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

export function finishPartial(workspace: Workspace, id: string): void {
  onDisk(`write ${wholeFolder(workspace, id)}`, () => renameSync(partialFolder(workspace, id), wholeFolder(workspace, id)))
}

export const dropPartial = (workspace: Workspace, id: string): void => rmSync(partialFolder(workspace, id), { recursive: true, force: true })

export function trashWhole(workspace: Workspace, id: string): void {
  onDisk(`remove ${id}`, () => renameSync(wholeFolder(workspace, id), join(workspace.trash, `${nameOf(id)}.${Date.now()}`)))
}
