import { z } from 'zod'
import { HubFile, HubId, type HubMatch } from '../../contract/hub'
import type { HubRef } from '../../store/hubFolders'
import { pageOf } from './request'

/** What models and datasets of the hub have in common. What the library passes on is the server's word, unchecked. */

export const MATCHES = 40
const Match = z.object({ name: HubId, downloads: z.int().catch(0), gated: z.unknown() })
export const Info = z.object({ sha: z.string().regex(/^[\w.-]{1,100}$/), gated: z.unknown(), cardData: z.unknown(), tags: z.array(z.string()).catch([]) })
const Card = z.object({ license: z.union([z.string(), z.array(z.string())]).optional(), license_name: z.string().optional() }).catch({})
const Entry = z.object({ type: z.string(), path: z.string(), size: z.int().min(0), lfs: z.object({ oid: z.string(), size: z.int().min(0) }).optional() })
export type Entry = z.infer<typeof Entry>
const SHA256 = /^[0-9a-f]{64}$/
/** Nobody downloads more by a button. */
const MOST_FILES = 10_000

export async function matchesOf(found: AsyncIterable<unknown>): Promise<HubMatch[]> {
  const matches: HubMatch[] = []
  for await (const one of found) {
    const match = Match.safeParse(one)
    if (match.success) matches.push({ id: match.data.name, downloads: match.data.downloads, gated: isGated(match.data.gated) })
  }
  return matches
}

export async function entriesOf(listed: AsyncIterable<unknown>): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of listed) {
    entries.push(Entry.parse(entry))
    if (entries.length >= MOST_FILES) break
  }
  return entries
}

export const filesOf = (entries: readonly Entry[]): HubFile[] =>
  entries.flatMap(({ path: name, size, lfs }) => HubFile.safeParse({ name, sizeBytes: lfs?.size ?? size, sha256: lfs && SHA256.test(lfs.oid) ? lfs.oid : null }).data ?? [])

export const fileAddress = (endpoint: string, ref: HubRef, revision: string, name: string): string => `${pageOf(endpoint, ref)}/resolve/${encodeURIComponent(revision)}/${name}`

export const isGated = (value: unknown): boolean => value !== false && value !== undefined && value !== null

export function licenceOf(cardData: unknown, tags: readonly string[]): string | null {
  const { license, license_name: name } = Card.parse(cardData)
  const stated = [license ?? []].flat().join(', ')
  const tagged = tags.find(tag => tag.startsWith('license:'))?.slice('license:'.length)
  return (stated === 'other' && name ? name : stated) || tagged || null
}
