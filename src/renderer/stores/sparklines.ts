import type { RunCard } from '@contract/run'
import type { Sparkline } from '@contract/runQuery'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { api } from '../api'

const mostAtOnce = 200

/** The small curves of the rows that are seen, asked for together once a frame, and again when a run has gone on. */
export const useSparklines = defineStore('sparklines', () => {
  const byRun = shallowRef(new Map<string, Sparkline>())
  const asOf = new Map<string, number>()
  const wanted = new Map<string, number>()
  let frame = 0

  function want({ id, updatedAt }: RunCard): void {
    if (asOf.get(id) === updatedAt) return
    wanted.set(id, updatedAt)
    frame ||= requestAnimationFrame(() => void fetchWanted())
  }

  async function fetchWanted(): Promise<void> {
    frame = 0
    const asked = [...wanted].slice(-mostAtOnce)
    wanted.clear()
    for (const [id, updatedAt] of asked) asOf.set(id, updatedAt)
    const found = await api.runs.sparklines({ runs: asked.map(([id]) => id) }).catch(() => [])
    const next = new Map(byRun.value)
    for (const one of found) next.set(one.run, one)
    byRun.value = next
  }

  return { byRun, want }
})
