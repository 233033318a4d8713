import type { CatalogueEntry, HubMatch, HubModel } from '../contract/hub'
import type { Deps } from './deps'
import { createAccount, type Keychain } from './hub/account'
import { catalogue } from './hub/catalogue'
import { createDownloads } from './hub/downloads'
import type { Pace } from './hub/transfer'

export interface HubOptions { keychain?: () => Keychain | null; env?: NodeJS.ProcessEnv; pace?: Pace }

const PACE: Pace = { retryMs: 500, stallMs: 60_000 }
// Half a megabyte of a library that most starts of the command line never need.
const models = () => import('./hub/models')

/** The Hugging Face hub, or another that speaks as it does. */
export function createHub(deps: Deps, { keychain = () => null, env = process.env, pace = PACE }: HubOptions = {}) {
  const account = createAccount(deps, keychain, env)
  const downloads = createDownloads(deps, account, pace)
  return {
    catalogue: (): CatalogueEntry[] => [...catalogue],
    search: async ({ query }: { query: string }): Promise<HubMatch[]> => (await models()).searchHub(account, query),
    info: async ({ id }: { id: string }): Promise<HubModel> => (await models()).hubModel(account, id),
    download: downloads.start,
    pause: downloads.pause,
    cancel: downloads.cancel,
    downloads: downloads.watch,
    account: account.show,
    setToken: account.setToken,
    close: downloads.close,
  }
}
