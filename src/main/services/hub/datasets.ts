import { datasetInfo, listDatasets, listFiles } from '@huggingface/hub'
import { AppError } from '../../contract/errors'
import type { HubMatch, HubModel } from '../../contract/hub'
import type { Account } from './account'
import { type Entry, entriesOf, filesOf, Info, isGated, licenceOf, MATCHES, matchesOf } from './repository'
import { createRequest, pageOf } from './request'

/** The hub keeps a copy in parquet of what people uploaded in other forms. */
const CONVERTED = 'refs/convert/parquet'
/** Of several configurations that a dataset has, these come first. */
const USUAL = ['data', '', 'default']

/** Datasets whose name holds the words, most downloaded first. */
export const searchDatasets = (account: Account, query: string): Promise<HubMatch[]> =>
  matchesOf(listDatasets({ search: { query }, sort: 'downloads', limit: MATCHES, hubUrl: account.endpoint(), fetch: createRequest(account) }))

/** A dataset as the hub has it now: its images in parquet, and under which licence. */
export async function hubDataset(account: Account, id: string): Promise<HubModel> {
  const hubUrl = account.endpoint(), ref = { kind: 'dataset' as const, id }, fetch = createRequest(account, ref)
  const infoOf = async (revision: string) => Info.parse(await datasetInfo({ name: id, revision, hubUrl, fetch, additionalFields: ['sha', 'cardData', 'tags'] }))
  const parquetAt = async (revision: string) => oneOf(await entriesOf(listFiles({ repo: { type: 'dataset', name: id }, recursive: true, revision, hubUrl, fetch })))
  const info = await infoOf('HEAD')
  const own = await parquetAt(info.sha)
  const converted = own.length > 0 ? null : await infoOf(CONVERTED).catch(noneThere)
  const files = filesOf(converted ? await parquetAt(converted.sha) : own)
  return {
    id, revision: converted?.sha ?? info.sha, licence: licenceOf(info.cardData, info.tags), gated: isGated(info.gated), files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    address: pageOf(hubUrl, ref), problem: files.length > 0 ? null : 'It has no parquet files; download its images by hand, then add their folder.',
  }
}

/** The parquet files of one configuration: the folder they lie in at the top, or none. */
function oneOf(entries: readonly Entry[]): Entry[] {
  const parquet = entries.filter(({ type, path }) => type === 'file' && path.endsWith('.parquet'))
  const top = ({ path }: Entry) => path.includes('/') ? path.slice(0, path.indexOf('/')) : ''
  const folders = [...new Set(parquet.map(top))].sort()
  const chosen = USUAL.find(folder => folders.includes(folder)) ?? folders[0]
  return parquet.filter(entry => top(entry) === chosen)
}

function noneThere(thrown: unknown): null {
  if (thrown instanceof AppError && thrown.code === 'not-found') return null
  throw thrown
}
