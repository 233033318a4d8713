import type { BackboneCard, InspectReport } from '@contract/model'
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { api } from '../api'
import { lastPart } from '../lib/path'
import { useAttempt } from './attempt'

/** The backbones at hand, and what inspecting one found. */
export const useModels = defineStore('models', () => {
  const list = shallowRef<BackboneCard[]>([])
  const loaded = ref(false)
  const { error, attempt } = useAttempt()
  const reports = new Map<string, InspectReport>()

  async function load(): Promise<void> {
    await attempt(async () => { list.value = await api.models.list(undefined) })
    loaded.value = true
  }

  const add = (path: string) => attempt(async () => {
    const card = await api.models.add({ path })
    await load()
    return card
  })

  const remove = (id: string) => attempt(async () => {
    await api.models.remove({ id })
    await load()
  })

  async function inspect(path: string): Promise<InspectReport> {
    const known = reports.get(path) ?? await api.models.inspect({ path })
    reports.set(path, known)
    return known
  }

  const find = (from: string) => list.value.find(card => card.id === from || card.path === from)
  /** What a recipe's id or path is called; of a path that is not listed, its last part. */
  const nameOf = (from: string) => find(from)?.name ?? lastPart(from)
  return { list, loaded, error, load, add, remove, inspect, find, nameOf }
})
