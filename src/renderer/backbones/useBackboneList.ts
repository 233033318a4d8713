import { computed } from 'vue'
import { count } from '../lib/format'
import { useHub } from '../stores/hub'
import { useModels } from '../stores/models'
import { useHubWords } from './useHubWords'

/** Everything at the left of the Backbones page: on disk, on the way, then what was found on the hub, or the catalogue while nothing is sought. */
export function useBackboneList() {
  const models = useModels()
  const hub = useHub()
  const titleOf = (id: string) => hub.catalogue.find(one => one.id === id)?.title ?? id
  const { store, words, searchNow, away, coming, found } = useHubWords('model', id => models.find(id) !== undefined, titleOf)

  const onDisk = computed(() => models.list.map(one => ({ id: one.id, name: one.name, lines: [`${count(one.parameters)} parameters, image ${one.imageSize}`, ...(one.licence ? [one.licence] : [])], problem: one.problem !== null, group: 'On disk' })))
  const catalogue = computed(() => hub.catalogue.filter(({ id }) => away(id)).map(one => ({ id: one.id, name: one.title, lines: [`${count(one.parameters)} parameters${one.supported ? '' : ', not supported yet'}`], problem: false, group: 'Catalogue' })))
  const entries = computed(() => [...onDisk.value, ...coming.value, ...(store.found ? found.value : catalogue.value)])
  return { store, words, entries, searchNow }
}
