import { computed } from 'vue'
import { useHubWords } from '../backbones/useHubWords'
import { bytes, plural } from '../lib/format'
import { useDatasets } from '../stores/datasets'

/** Everything at the left of the Datasets page: on disk, on the way, and what was found on the hub. */
export function useDatasetList() {
  const datasets = useDatasets()
  const { store, words, searchNow, coming, found } = useHubWords('dataset', id => datasets.find(id) !== undefined)

  const onDisk = computed(() => datasets.list.map(one => ({
    id: one.id, name: one.name, problem: one.problem !== null || one.broken.length > 0, group: 'On disk',
    lines: [`${plural(one.classes.length, 'class', 'classes')}, ${plural(Object.values(one.splits).reduce((a, b) => a + b, 0), 'image')}`, ...one.cacheBytes > 0 ? [`${bytes(one.cacheBytes)} cached`] : []],
  })))
  const entries = computed(() => [...onDisk.value, ...coming.value, ...found.value])
  return { store, words, entries, searchNow }
}
