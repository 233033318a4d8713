import type { CatalogueEntry, HubKind, HubMatch, HubModel } from '../contract/hub'
import type { Deps } from './deps'
import { createAccount, type Keychain } from './hub/account'
import { catalogue } from './hub/catalogue'
import { createDownloads } from './hub/downloads'
import type { Pace } from './hub/transfer'

export interface HubOptions { keychain?: () => Keychain | null; env?: NodeJS.ProcessEnv; pace?: Pace }

const PACE: Pace = { retryMs: 500, stallMs: 60_000 }
// Half a megabyte of a library that most starts of the command line never need.
const models = () => import('./hub/models')
const datasets = () => import('./hub/datasets')

/** The Hugging Face hub, or another that speaks as it does. */
export function createHub(deps: Deps, { keychain = () => null, env = process.env, pace = PACE }: HubOptions = {}) {
  const account = createAccount(deps, keychain, env)
  const info = async ({ id, kind }: { id: string; kind?: HubKind }): Promise<HubModel> => kind === 'dataset' ? (await datasets()).hubDataset(account, id) : (await models()).hubModel(account, id)
  const downloads = createDownloads(deps, account, info, pace)
  return {
    catalogue: (): CatalogueEntry[] => [...catalogue],
    search: async ({ query, kind }: { query: string; kind?: HubKind }): Promise<HubMatch[]> => kind === 'dataset' ? (await datasets()).searchDatasets(account, query) : (await models()).searchHub(account, query),
    info,
    download: downloads.start,
    pause: downloads.pause,
    cancel: downloads.cancel,
    downloads: downloads.watch,
    account: account.show,
    setToken: account.setToken,
    close: downloads.close,
  }
}
