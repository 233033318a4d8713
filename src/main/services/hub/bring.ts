import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '../../contract/errors'
import { finishPartial, type HubOrigin, partialFolder, sizeOf } from '../../store/hubFolders'
import { hashFile } from '../../store/modelHash'
import type { Workspace } from '../../store/paths'
import type { Account } from './account'
import { fileAddress } from './repository'
import { createRequest } from './request'
import { type Pace, transfer } from './transfer'

export interface Bringing { workspace: Workspace; account: Account; pace: Pace; signal: AbortSignal; onBytes(): void; onChecking(): void }

/** Brings every file of what was agreed on, checks them, and makes them a holding in one step. */
export async function bringAll(origin: HubOrigin, { workspace, account, pace, signal, onBytes, onChecking }: Bringing): Promise<void> {
  const folder = partialFolder(workspace, origin)
  const request = createRequest(account, origin)
  for (const { name, sizeBytes } of origin.files) {
    const address = fileAddress(account.endpoint(), origin, origin.revision, name), path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    await transfer({ request, address, path, sizeBytes, signal, pace, onBytes })
  }
  onChecking()
  await checkFiles(origin, folder)
  signal.throwIfAborted()
  finishPartial(workspace, origin)
}

/** A file that did not arrive as it is on the hub is thrown away, so that trying again brings it anew. */
async function checkFiles({ files }: HubOrigin, folder: string): Promise<void> {
  for (const { name, sizeBytes, sha256 } of files) {
    const path = join(folder, name)
    if (sizeOf(path) === sizeBytes && (sha256 === null || await hashFile(path) === sha256)) continue
    rmSync(path, { force: true })
    throw new AppError('verification-failed', `${name} did not arrive as it is on the hub: its checksum differs. Try again; the file is downloaded anew.`)
  }
}
