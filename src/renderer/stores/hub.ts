import type { CatalogueEntry, HubAccount, HubDownload, HubMatch, HubModel } from '@contract/hub'
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { api } from '../api'
import { useAttempt } from './attempt'
import { useModels } from './models'

/** What can be had from the hub, and what is on its way. */
export const useHub = defineStore('hub', () => {
  const models = useModels()
  const catalogue = shallowRef<CatalogueEntry[]>([])
  const matches = shallowRef<HubMatch[]>([])
  const downloads = shallowRef<HubDownload[]>([])
  const account = shallowRef<HubAccount | null>(null)
  /** The words that `matches` are of. */
  const found = ref('')
  const searching = ref(false)
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
    if (arrived) void models.load()
  }

  async function search(words: string): Promise<void> {
    found.value = words
    matches.value = []
    error.value = null
    if (words === '') return
    searching.value = true
    const answer = await attempt(() => api.hub.search({ query: words }))
    // A slow answer to words that were changed meanwhile is nobody's.
    if (found.value !== words) return
    matches.value = answer ?? []
    searching.value = false
  }

  async function info(id: string): Promise<HubModel> {
    const model = known.get(id) ?? await api.hub.info({ id })
    known.set(id, model)
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
    matches.value = []
    await loadAccount()
  }

  /** On its way, or left on the way; one that is done is a backbone like others. */
  const download = (id: string) => downloads.value.find(one => one.id === id && one.state !== 'done')
  return { catalogue, matches, downloads, account, found, searching, error, open, search, info, setToken, addressChanged, download }
})
