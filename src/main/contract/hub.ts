import { z } from 'zod'
import { ErrorValue } from './errors'

export const HubKind = z.enum(['model', 'dataset'])
export type HubKind = z.infer<typeof HubKind>

/** A name on the hub: owner/name. Neither part can climb out of a folder. */
export const HubId = z.string().max(200).regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/, 'what the hub has is named owner/name')

/** The hub's address; empty: what HF_ENDPOINT says, else huggingface.co. */
export const HubEndpoint = z.union([z.literal(''), z.url({ protocol: /^https?$/, error: 'an address begins with https://' }).max(500)])

/** A backbone that the paper or its users start from. */
export const CatalogueEntry = z.object({ id: HubId, title: z.string(), about: z.string(), parameters: z.int(), supported: z.boolean() })
export type CatalogueEntry = z.infer<typeof CatalogueEntry>

export const HubMatch = z.object({ id: HubId, downloads: z.int(), gated: z.boolean() })
export type HubMatch = z.infer<typeof HubMatch>

export const HubFile = z.object({
  name: z.string().max(500).regex(/^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/), sizeBytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/).nullable().describe('the hub tells it of large files only'),
})
export type HubFile = z.infer<typeof HubFile>

/** What there is to know of a model or a dataset before a download. */
export const HubModel = z.object({
  id: HubId, revision: z.string(), licence: z.string().nullable(), gated: z.boolean(), files: z.array(HubFile), sizeBytes: z.int(), address: z.string(),
  problem: z.string().nullable().describe('why Engram cannot use it'),
})
export type HubModel = z.infer<typeof HubModel>

export const HubDownload = z.object({
  kind: HubKind, id: HubId, state: z.enum(['running', 'checking', 'paused', 'failed', 'done']), licence: z.string().nullable(),
  doneBytes: z.int(), sizeBytes: z.int(), bytesPerSecond: z.number().nullable(), error: ErrorValue.nullable(),
})
export type HubDownload = z.infer<typeof HubDownload>

/** Where models come from, and whether a token goes along. The token itself never leaves main. */
export const HubAccount = z.object({
  endpoint: z.string(), token: z.enum(['none', 'keychain', 'session', 'environment']), keychain: z.boolean().describe('whether a token can be kept beyond this session'),
})
export type HubAccount = z.infer<typeof HubAccount>
export const HubToken = z.object({ token: z.string().trim().min(1).max(500).regex(/^[\x21-\x7e]+$/, 'a token has no spaces').nullable() })
