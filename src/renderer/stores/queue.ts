import type { QueueAdd, QueueLane, QueueState } from '@contract/queue'
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { api } from '../api'
import { useAttempt } from './attempt'

/** The lanes of this machine and what waits in them, kept current by main. */
export const useQueue = defineStore('queue', () => {
  const state = shallowRef<QueueState | null>(null)
  const { error, attempt } = useAttempt()
  const lanes = computed<QueueLane[]>(() => state.value?.lanes ?? [])
  const length = computed(() => lanes.value.reduce((sum, { waiting }) => sum + waiting.length, 0))
  /** Whether this machine has GPUs to train on. */
  const onGpu = computed(() => lanes.value.some(({ id }) => id !== 'cpu'))
  /** Where a run goes that is started now. */
  const next = computed(() => lanes.value.find(({ id }) => id === state.value?.next))

  const open = () => api.queue.watch(undefined, states => { state.value = states.at(-1) ?? state.value })

  const add = (addition: QueueAdd) => attempt(() => api.queue.add(addition))
  const move = (run: string, position: number, lane?: string) => attempt(() => api.queue.move({ run, position, ...(lane ? { lane } : {}) }))
  const remove = (runs: string[]) => attempt(() => api.queue.remove({ runs }))
  const pause = (lane: string, paused: boolean) => attempt(() => api.queue.pause({ lane, paused }))

  /** The lane in which a run waits, and how many are before it there. */
  function placeOf(run: string): { lane: QueueLane; position: number } | null {
    const lane = lanes.value.find(({ waiting }) => waiting.includes(run))
    return lane ? { lane, position: lane.waiting.indexOf(run) } : null
  }

  return { state, lanes, length, next, onGpu, error, open, add, move, remove, pause, placeOf }
})
