import { listFiles, listModels, modelInfo } from '@huggingface/hub'
import { AppError } from '../../contract/errors'
import type { HubFile, HubMatch, HubModel } from '../../contract/hub'
import { checkConfig } from '../../engine/io/configs'
import type { Account } from './account'
import { type Entry, entriesOf, fileAddress, filesOf, Info, isGated, licenceOf, MATCHES, matchesOf } from './repository'
import { createRequest, pageOf } from './request'

/** Models whose name holds the words, most downloaded first. */
export async function searchHub(account: Account, query: string): Promise<HubMatch[]> {
  return matchesOf(listModels({ search: { query }, sort: 'downloads', limit: MATCHES, hubUrl: account.endpoint(), fetch: createRequest(account) }))
}

/** A model as the hub has it now: what would be downloaded, under which licence, and whether Engram can use it. */
export async function hubModel(account: Account, id: string): Promise<HubModel> {
  const hubUrl = account.endpoint(), ref = { kind: 'model' as const, id }, fetch = createRequest(account, ref)
  const { sha: revision, gated, cardData, tags } = Info.parse(await modelInfo({ name: id, hubUrl, fetch, additionalFields: ['sha', 'cardData', 'tags'] }))
  const entries = await entriesOf(listFiles({ repo: id, revision, hubUrl, fetch }))
  const files = wanted(entries)
  return {
    id, revision, licence: licenceOf(cardData, tags), gated: isGated(gated), files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    address: pageOf(hubUrl, ref), problem: await problemOf(files, entries.map(({ path }) => path), fileAddress(hubUrl, ref, revision, 'config.json'), fetch),
  }
}

const SETTINGS = ['config.json', 'preprocessor_config.json']
const WHOLE = 'model.safetensors'

/** The weights once, as safetensors, and what describes them; never a pickle. */
function wanted(entries: readonly Entry[]): HubFile[] {
  const names = entries.filter(({ type }) => type === 'file').map(({ path }) => path)
  const all = names.filter(name => /^[^/]+\.safetensors(\.index\.json)?$/.test(name))
  const shards = all.filter(name => name === `${WHOLE}.index.json` || /^model-\d+-of-\d+\.safetensors$/.test(name))
  const weights = names.includes(WHOLE) ? [WHOLE] : shards.length > 0 ? shards : all
  return filesOf(entries.filter(({ path }) => SETTINGS.includes(path) || weights.includes(path)))
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
