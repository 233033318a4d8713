import type { RunView } from '@contract/runQuery'
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { same } from '../lib/path'
import { persisted } from '../lib/persisted'
import { standingViews } from '../runs/view'
import { useSettings } from './settings'

const copyOf = (view: RunView): RunView => JSON.parse(JSON.stringify(view)) as RunView

/** The views of the Runs table: those that stand, those that were saved with the workspace, and what is changed in each but not saved. */
export const useRunViews = defineStore('runViews', () => {
  const settings = useSettings()
  const chosen = persisted<string>('runs.view', 'all')
  const changed = persisted<Record<string, RunView>>('runs.changed', {})
  const saved = computed(() => settings.values.runViews)
  const all = computed(() => [...standingViews, ...saved.value])
  const basis = computed(() => all.value.find(view => view.id === chosen.value) ?? standingViews[0]!)
  const current = computed(() => changed.value[basis.value.id] ?? basis.value)
  const differs = computed(() => !same({ ...current.value, title: '' }, { ...basis.value, title: '' }))
  const isSaved = computed(() => saved.value.some(view => view.id === basis.value.id))

  function change(by: { query?: Partial<RunView['query']>; columns?: string[] }): void {
    const now = copyOf(current.value)
    changed.value = { ...changed.value, [now.id]: { ...now, query: { ...now.query, ...by.query }, columns: by.columns ?? now.columns } }
  }

  function discard(id = basis.value.id): void {
    const { [id]: _, ...others } = changed.value
    changed.value = others
  }

  async function saveAs(title: string): Promise<void> {
    const view = { ...copyOf(current.value), id: `view-${Date.now().toString(36)}`, title }
    await settings.set({ runViews: [...saved.value, view] })
    discard()
    chosen.value = view.id
  }

  async function save(): Promise<void> {
    const { id } = basis.value
    await settings.set({ runViews: saved.value.map(view => view.id === id ? copyOf(current.value) : view) })
    discard(id)
  }

  async function remove(): Promise<void> {
    const { id } = basis.value
    chosen.value = 'all'
    await settings.set({ runViews: saved.value.filter(view => view.id !== id) })
    discard(id)
  }

  return { all, chosen, current, differs, isSaved, change, discard, saveAs, save, remove }
})
