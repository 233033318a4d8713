import type { RunCard, RunChange } from '@contract/run'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api } from '../api'
import { useAttempt } from './attempt'

type LabelChange = Parameters<typeof api.runs.label>[0]
const undoMs = 8000

/** All runs of the workspace, kept current by the feed of changes. */
export const useRuns = defineStore('runs', () => {
  const byId = shallowRef(new Map<string, RunCard>())
  const loaded = ref(false)
  const { error, attempt } = useAttempt()
  /** Runs on their way out: hidden at once, removed when the time for Undo is over. */
  const leaving = ref(new Set<string>())
  let removal: ReturnType<typeof setTimeout> | undefined
  let undone: (() => void) | undefined

  const all = computed(() => [...byId.value.values()].filter(run => !leaving.value.has(run.id)).sort((a, b) => b.createdAt - a.createdAt))
  const active = computed(() => all.value.filter(run => run.status === 'running'))

  function keep(changes: RunChange[]): void {
    const next = new Map(byId.value)
    for (const one of changes) {
      if (one.change === 'card') next.set(one.card.id, one.card)
      else next.delete(one.run)
    }
    byId.value = next
  }

  async function open(): Promise<void> {
    api.runs.changes(undefined, keep)
    window.addEventListener('beforeunload', () => { void finishRemoval() })
    await load()
  }

  async function load(): Promise<void> {
    await attempt(async () => { byId.value = new Map((await api.runs.list(undefined)).map(card => [card.id, card])) })
    loaded.value = true
  }

  const label = (change: LabelChange) => attempt(() => api.runs.label(change))
  const stop = (run: string) => attempt(() => api.runs.stop({ run }))
  const resume = (run: string) => attempt(() => api.runs.resume({ run }))

  /** `onUndo` puts back what was undone beside the removal itself. */
  function remove(runs: string[], onUndo?: () => void): void {
    void finishRemoval()
    undone = onUndo
    leaving.value = new Set(runs)
    removal = setTimeout(() => void finishRemoval(), undoMs)
  }

  function undoRemoval(): void {
    clearTimeout(removal)
    leaving.value = new Set()
    undone?.()
  }

  async function finishRemoval(): Promise<void> {
    clearTimeout(removal)
    const runs = [...leaving.value]
    if (runs.length === 0) return
    const removed = await attempt(() => Promise.all(runs.map(run => api.runs.remove({ run }))))
    if (removed) keep(runs.map(run => ({ change: 'removed', run })))
    else await load()
    leaving.value = new Set([...leaving.value].filter(run => !runs.includes(run)))
  }

  const find = (id: string) => byId.value.get(id)
  return { all, active, loaded, error, leaving, open, load, label, stop, resume, remove, undoRemoval, find, attempt }
})
