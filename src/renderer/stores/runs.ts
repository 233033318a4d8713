import type { RunCard, RunChange } from '@contract/run'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { api } from '../api'
import { useAttempt } from './attempt'
import { useRemoval } from './removal'
import { useSystem } from './system'

type LabelChange = Parameters<typeof api.runs.label>[0]

/** Whether a change says no more than that a running run has come further. */
const goesOn = (one: RunChange, known: ReadonlyMap<string, RunCard>): boolean =>
  one.change === 'card' && one.card.status === 'running' && known.get(one.card.id)?.status === 'running'

/** All runs of the workspace, kept current by the feed of changes. */
export const useRuns = defineStore('runs', () => {
  const system = useSystem()
  const byId = shallowRef(new Map<string, RunCard>())
  const loaded = ref(false)
  /** Folders whose runs are not known yet: after the index was lost they are read one by one. */
  const unread = ref(0)
  const { error, attempt } = useAttempt()
  const { leaving, remove, undoRemoval, finishRemoval } = useRemoval(takeOut)
  const heard: RunChange[] = []

  const find = (id: string) => byId.value.get(id)
  /** Those that are not on their way out. */
  const present = computed(() => leaving.value.size === 0 ? byId.value : new Map([...byId.value].filter(([id]) => !leaving.value.has(id))))
  const all = computed(() => [...present.value.values()].sort((a, b) => b.createdAt - a.createdAt))
  const active = computed(() => all.value.filter(run => run.status === 'running'))

  function keep(changes: readonly RunChange[]): void {
    const next = new Map(byId.value)
    for (const one of changes) {
      if (one.change === 'card') next.set(one.card.id, one.card)
      else if (one.change === 'removed') next.delete(one.run)
      else unread.value = one.runs
    }
    byId.value = next
  }

  /** The first part of a long list fills the screen, and the rest is kept when it is whole; a run that only goes on waits for the clock, to be drawn with it. */
  function hear(changes: RunChange[]): void {
    const whole = changes.some(({ change }) => change === 'unread')
    const now = loaded.value ? !changes.every(one => goesOn(one, byId.value)) : whole || byId.value.size === 0
    if (now) keep([...heard.splice(0), ...changes])
    else heard.push(...changes)
    loaded.value ||= whole
  }
  watch(() => system.now, () => { if (loaded.value && heard.length > 0) keep(heard.splice(0)) })

  function open(): void {
    api.runs.changes(undefined, hear)
    window.addEventListener('beforeunload', () => { void finishRemoval() })
  }

  /** As main knows them now, where one of them could not be changed. */
  async function load(): Promise<void> {
    await attempt(async () => { byId.value = new Map((await api.runs.list(undefined)).map(card => [card.id, card])) })
  }

  const label = (change: LabelChange) => attempt(() => api.runs.label(change))
  const stop = (run: string) => attempt(() => api.runs.stop({ run }))
  const resume = (run: string) => attempt(() => api.runs.resume({ run }))

  async function takeOut(runs: string[]): Promise<void> {
    const removed = await attempt(() => Promise.all(runs.map(run => api.runs.remove({ run }))))
    if (removed) keep(runs.map(run => ({ change: 'removed', run })))
    else await load()
  }

  return { all, present, active, loaded, unread, error, leaving, open, load, label, stop, resume, remove, undoRemoval, find, attempt }
})
