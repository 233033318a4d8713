import type { CacheReport, DatasetCard, PreviewImage } from '@contract/dataset'
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { api } from '../api'
import { lastPart } from '../lib/path'
import { useAttempt } from './attempt'

/** The datasets at hand, their previews, and the cache of decoded images. */
export const useDatasets = defineStore('datasets', () => {
  const list = shallowRef<DatasetCard[]>([])
  const cache = shallowRef<CacheReport | null>(null)
  const loaded = ref(false)
  const adding = ref(false)
  const { error, attempt } = useAttempt()
  const previews = new Map<string, PreviewImage[]>()

  async function load(): Promise<void> {
    await attempt(async () => { list.value = await api.datasets.list(undefined) })
    loaded.value = true
  }

  async function add(path: string): Promise<DatasetCard | undefined> {
    adding.value = true
    const card = await attempt(() => api.datasets.add({ path }))
    adding.value = false
    if (card) await load()
    return card
  }

  const remove = (id: string) => attempt(async () => {
    await api.datasets.remove({ id })
    await load()
  })

  /** Throws what is wrong, for the form that asked. */
  async function nameClasses(id: string, names: string[]): Promise<void> {
    const card = await api.datasets.nameClasses({ id, names })
    previews.clear()
    list.value = list.value.map(one => one.id === id ? card : one)
  }

  const measureCache = () => attempt(async () => { cache.value = await api.datasets.cache(undefined) })
  const clearCache = () => attempt(async () => {
    cache.value = await api.datasets.clearCache(undefined)
    await load()
  })

  const dropCache = (key: string) => attempt(async () => {
    cache.value = await api.datasets.dropCache({ key })
    await load()
  })

  /** Some images as the model would see them; kept, because decoding costs. */
  async function preview(from: string, imageSize: number, count: number): Promise<PreviewImage[]> {
    const key = `${from}|${imageSize}|${count}`
    const images = previews.get(key) ?? await api.datasets.preview({ from, imageSize, count })
    previews.set(key, images)
    return images
  }

  const find = (from: string) => list.value.find(card => card.id === from || card.path === from)
  /** What a recipe's id or path is called; of a path that is not listed, its last part. */
  const nameOf = (from: string) => find(from)?.name ?? lastPart(from)
  return { list, cache, loaded, adding, error, load, add, remove, nameClasses, measureCache, clearCache, dropCache, preview, find, nameOf }
})
