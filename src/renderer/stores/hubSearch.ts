import type { HubKind, HubMatch } from '@contract/hub'
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { api } from '../api'
import { useAttempt } from './attempt'

function searchOf(kind: HubKind) {
  const matches = shallowRef<HubMatch[]>([])
  /** The words that `matches` are of. */
  const found = ref('')
  const searching = ref(false)
  const { error, attempt } = useAttempt()

  async function search(words: string): Promise<void> {
    found.value = words
    matches.value = []
    error.value = null
    if (words === '') return
    searching.value = true
    const answer = await attempt(() => api.hub.search({ query: words, kind }))
    // A slow answer to words that were changed meanwhile is nobody's.
    if (found.value !== words) return
    matches.value = answer ?? []
    searching.value = false
  }
  const forget = () => { matches.value = [] }
  return { matches, found, searching, error, search, forget }
}

const stores = { model: defineStore('hubModels', () => searchOf('model')), dataset: defineStore('hubDatasets', () => searchOf('dataset')) }
/** What was sought on the hub, for models and datasets apart. */
export const useHubSearch = (kind: HubKind) => stores[kind]()
