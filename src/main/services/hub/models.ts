import { listFiles, listModels, modelInfo } from '@huggingface/hub'
import { z } from 'zod'
import { AppError } from '../../contract/errors'
import { type HubFile, HubId, HubFile as HubFileSchema, type HubMatch, type HubModel } from '../../contract/hub'
import { checkConfig } from '../../engine/io/configs'
import type { Account } from './account'
import { createRequest } from './request'

const MATCHES = 40
/** What the library passes on is the server's word, unchecked. */
const Match = z.object({ name: HubId, downloads: z.int().catch(0), gated: z.unknown() })
const Info = z.object({ sha: z.string().regex(/^[\w.-]{1,100}$/), gated: z.unknown(), cardData: z.unknown(), tags: z.array(z.string()).catch([]) })
const Card = z.object({ license: z.union([z.string(), z.array(z.string())]).optional(), license_name: z.string().optional() }).catch({})
const Entry = z.object({ type: z.string(), path: z.string(), size: z.int().min(0), lfs: z.object({ oid: z.string(), size: z.int().min(0) }).optional() })

/** Models whose name holds the words, most downloaded first. */
export async function searchHub(account: Account, query: string): Promise<HubMatch[]> {
  const found: HubMatch[] = []
  for await (const one of listModels({ search: { query }, sort: 'downloads', limit: MATCHES, hubUrl: account.endpoint(), fetch: createRequest(account) })) {
    const match = Match.safeParse(one)
    if (match.success) found.push({ id: match.data.name, downloads: match.data.downloads, gated: isGated(match.data.gated) })
  }
  return found
}

/** A model as the hub has it now: what would be downloaded, under which licence, and whether Engram can use it. */
export async function hubModel(account: Account, id: string): Promise<HubModel> {
  const hubUrl = account.endpoint(), fetch = createRequest(account, id)
  const { sha: revision, gated, cardData, tags } = Info.parse(await modelInfo({ name: id, hubUrl, fetch, additionalFields: ['sha', 'cardData', 'tags'] }))
  const entries: z.infer<typeof Entry>[] = []
  for await (const entry of listFiles({ repo: id, revision, hubUrl, fetch })) entries.push(Entry.parse(entry))
  const files = wanted(entries)
  return {
    id, revision, licence: licenceOf(cardData, tags), gated: isGated(gated), files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    address: `${hubUrl}/${id}`, problem: await problemOf(files, entries.map(({ path }) => path), fileAddress(hubUrl, id, revision, 'config.json'), fetch),
  }
}

export const fileAddress = (endpoint: string, id: string, revision: string, name: string): string => `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${name}`

const isGated = (value: unknown): boolean => value !== false && value !== undefined && value !== null

function licenceOf(cardData: unknown, tags: readonly string[]): string | null {
  const { license, license_name: name } = Card.parse(cardData)
  const stated = [license ?? []].flat().join(', ')
  const tagged = tags.find(tag => tag.startsWith('license:'))?.slice('license:'.length)
  return (stated === 'other' && name ? name : stated) || tagged || null
}

const SHA256 = /^[0-9a-f]{64}$/
const SETTINGS = ['config.json', 'preprocessor_config.json']
const WHOLE = 'model.safetensors'

/** The weights once, as safetensors, and what describes them; never a pickle. */
function wanted(entries: readonly z.infer<typeof Entry>[]): HubFile[] {
  const names = entries.filter(({ type }) => type === 'file').map(({ path }) => path)
  const all = names.filter(name => /^[^/]+\.safetensors(\.index\.json)?$/.test(name))
  const shards = all.filter(name => name === `${WHOLE}.index.json` || /^model-\d+-of-\d+\.safetensors$/.test(name))
  const weights = names.includes(WHOLE) ? [WHOLE] : shards.length > 0 ? shards : all
  return entries.filter(({ path }) => SETTINGS.includes(path) || weights.includes(path))
    .flatMap(({ path: name, size, lfs }) => HubFileSchema.safeParse({ name, sizeBytes: lfs?.size ?? size, sha256: lfs && SHA256.test(lfs.oid) ? lfs.oid : null }).data ?? [])
}

async function problemOf(files: readonly HubFile[], names: readonly string[], config: string, request: typeof fetch): Promise<string | null> {
  if (!files.some(({ name }) => name === 'config.json')) return 'It has no config.json, so its architecture is not known.'
  try {
    const response = await request(config)
    checkConfig(await response.json())
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return 'Its config.json is not valid JSON.'
    if (!(thrown instanceof AppError)) throw thrown
    if (thrown.code === 'hub-gated') return null // its files tell once they may be read
    if (thrown.code === 'model-unsupported' || thrown.code === 'model-unreadable') return [thrown.message, thrown.hint].filter(Boolean).join(' ')
    throw thrown
  }
  if (files.some(({ name }) => name.endsWith('.safetensors'))) return null
  return names.some(name => /\.(bin|pth?|ckpt)$/.test(name)) ? 'Its weights are a pickle, which can run code when it is opened; Engram reads safetensors.' : 'It has no weights as safetensors.'
}
