import { computed, ref, watch } from 'vue'
import { count } from '../lib/format'
import { useHub } from '../stores/hub'
import { useModels } from '../stores/models'
import { downloadWords } from './words'

const TYPING_MS = 500

/** Everything at the left of the Backbones page: on disk, on the way, then what was found on the hub, or the catalogue while nothing is sought. */
export function useBackboneList() {
  const models = useModels()
  const hub = useHub()
  const words = ref(hub.found)
  let timer: ReturnType<typeof setTimeout> | undefined

  function searchNow(): void {
    clearTimeout(timer)
    const sought = words.value.trim()
    if (sought !== hub.found || hub.error) void hub.search(sought)
  }
  watch(words, () => {
    clearTimeout(timer)
    timer = setTimeout(searchNow, TYPING_MS)
  })

  const away = (id: string) => models.find(id) === undefined && hub.download(id) === undefined
  const onDisk = computed(() => models.list.map(one => ({ id: one.id, name: one.name, lines: [`${count(one.parameters)} parameters, image ${one.imageSize}`, ...(one.licence ? [one.licence] : [])], problem: one.problem !== null, group: 'On disk' })))
  const coming = computed(() => hub.downloads.filter(one => one.state !== 'done').map(one => ({ id: one.id, name: titleOf(one.id), lines: [downloadWords(one)], problem: one.error !== null, group: 'Downloads', still: one.state === 'paused' || one.state === 'failed', share: one.sizeBytes > 0 ? one.doneBytes / one.sizeBytes : 0 })))
  const catalogue = computed(() => hub.catalogue.filter(({ id }) => away(id)).map(one => ({ id: one.id, name: one.title, lines: [`${count(one.parameters)} parameters${one.supported ? '' : ', not supported yet'}`], problem: false, group: 'Catalogue' })))
  const found = computed(() => hub.matches.filter(({ id }) => away(id)).map(one => ({ id: one.id, name: one.id, lines: [`${count(one.downloads)} downloads${one.gated ? ', gated' : ''}`], problem: false, group: 'On the hub' })))
  const titleOf = (id: string) => hub.catalogue.find(one => one.id === id)?.title ?? id
  const entries = computed(() => [...onDisk.value, ...coming.value, ...(hub.found ? found.value : catalogue.value)])
  return { words, entries, searchNow }
}
