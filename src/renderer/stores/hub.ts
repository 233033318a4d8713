import type { CatalogueEntry, HubAccount, HubDownload, HubKind, HubModel } from '@contract/hub'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { api } from '../api'
import { useAttempt } from './attempt'
import { useDatasets } from './datasets'
import { useHubSearch } from './hubSearch'
import { useModels } from './models'

/** What can be had from the hub, and what is on its way. */
export const useHub = defineStore('hub', () => {
  const models = useModels()
  const datasets = useDatasets()
  const catalogue = shallowRef<CatalogueEntry[]>([])
  const downloads = shallowRef<HubDownload[]>([])
  const account = shallowRef<HubAccount | null>(null)
  const { error, attempt } = useAttempt()
  const known = new Map<string, HubModel>()

  async function open(): Promise<void> {
    api.hub.downloads(undefined, lists => follow(lists.at(-1) ?? []))
    catalogue.value = await attempt(() => api.hub.catalogue(undefined)) ?? []
    await loadAccount()
  }

  function follow(next: HubDownload[]): void {
    const done = (list: HubDownload[]) => list.filter(one => one.state === 'done').length
    const arrived = done(next) > done(downloads.value)
    downloads.value = next
    if (arrived) void Promise.all([models.load(), datasets.load()])
  }

  async function info(id: string, kind: HubKind): Promise<HubModel> {
    const model = known.get(`${kind} ${id}`) ?? await api.hub.info({ id, kind })
    known.set(`${kind} ${id}`, model)
    return model
  }

  const loadAccount = () => attempt(async () => { account.value = await api.hub.account(undefined) })
  /** What another token or another address may see is asked for anew. */
  const setToken = (token: string | null) => attempt(async () => {
    account.value = await api.hub.setToken({ token })
    known.clear()
  })
  async function addressChanged(): Promise<void> {
    known.clear()
    for (const kind of ['model', 'dataset'] as const) useHubSearch(kind).forget()
    await loadAccount()
  }

  /** On its way, or left on the way; one that is done is a backbone like others. */
  const download = (id: string, kind: HubKind = 'model') => downloads.value.find(one => one.id === id && one.kind === kind && one.state !== 'done')
  return { catalogue, downloads, account, error, open, info, setToken, addressChanged, download }
})
