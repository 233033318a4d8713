import { AppError } from '../../contract/errors'
import type { HubModel } from '../../contract/hub'
import { arrivedBytes, beginPartial, homeOf, type HubOrigin, type HubRef, listPartial } from '../../store/hubFolders'
import type { Workspace } from '../../store/paths'
import { diskFree } from '../machine'
import type { Account } from './account'
import { gated } from './request'

const MARGIN_BYTES = 1e8

/** What a download brings, fixed when it begins: one that was begun goes on with the same revision. Refuses what is of no use, closed or too large. */
export async function agreeOn(ref: HubRef, workspace: Workspace, account: Account, info: (ref: HubRef) => Promise<HubModel>): Promise<HubOrigin> {
  const begun = listPartial(workspace).find(({ origin }) => origin.kind === ref.kind && origin.id === ref.id)
  const origin = begun?.origin ?? await asked(ref, account, info)
  checkRoom(workspace, origin)
  if (!begun) beginPartial(workspace, origin)
  return origin
}

async function asked(ref: HubRef, account: Account, info: (ref: HubRef) => Promise<HubModel>): Promise<HubOrigin> {
  const { problem, files, revision, licence, gated: closed } = await info(ref)
  if (problem) throw new AppError(ref.kind === 'model' ? 'model-unsupported' : 'dataset-invalid', `Engram cannot use ${ref.id}: ${problem}`)
  if (closed && account.token() === null) throw gated(account.endpoint(), ref, false)
  return { format: 1, ...ref, revision, licence, endpoint: account.endpoint(), files, startedAt: Date.now() }
}

function checkRoom(workspace: Workspace, origin: HubOrigin): void {
  const needed = origin.files.reduce((sum, file) => sum + file.sizeBytes, 0) - arrivedBytes(workspace, origin) + MARGIN_BYTES
  const free = diskFree(workspace.root)
  if (needed > free) throw new AppError('disk-full', `${origin.id} needs ${gigabytes(needed)} in ${homeOf(workspace, origin.kind)} and ${gigabytes(free)} are free. Free some space, then try again.`)
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
