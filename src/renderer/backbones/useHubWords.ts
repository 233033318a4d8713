import type { HubDownload, HubKind } from '@contract/hub'
import { computed, ref, watch } from 'vue'
import { count } from '../lib/format'
import { useHub } from '../stores/hub'
import { useHubSearch } from '../stores/hubSearch'
import { downloadWords } from './words'

const TYPING_MS = 500

/** A search field of the hub, with what it found and what is on its way, as entries of a list. */
export function useHubWords(kind: HubKind, isHere: (id: string) => boolean, titleOf: (id: string) => string = id => id) {
  const hub = useHub()
  const store = useHubSearch(kind)
  const words = ref(store.found)
  let timer: ReturnType<typeof setTimeout> | undefined

  function searchNow(): void {
    clearTimeout(timer)
    const sought = words.value.trim()
    if (sought !== store.found || store.error) void store.search(sought)
  }
  watch(words, () => {
    clearTimeout(timer)
    timer = setTimeout(searchNow, TYPING_MS)
  })

  const away = (id: string) => !isHere(id) && hub.download(id, kind) === undefined
  const coming = computed(() => hub.downloads.filter(one => one.kind === kind && one.state !== 'done').map(comingEntry))
  const comingEntry = (one: HubDownload) => ({ id: one.id, name: titleOf(one.id), lines: [downloadWords(one)], problem: one.error !== null, group: 'Downloads', still: one.state === 'paused' || one.state === 'failed', share: one.sizeBytes > 0 ? one.doneBytes / one.sizeBytes : 0 })
  const found = computed(() => store.matches.filter(({ id }) => away(id)).map(one => ({ id: one.id, name: one.id, lines: [`${count(one.downloads)} downloads${one.gated ? ', gated' : ''}`], problem: false, group: 'On the hub' })))
  return { store, words, searchNow, away, coming, found }
}
