import type { ErrorValue } from '@contract/errors'
import type { DoctorReport, SystemStatus } from '@contract/system'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api, onFeedError } from '../api'
import { useAttempt } from './attempt'

const tickMs = 1000

/** The machine: device, memory, disk; and the clock that "ago" and "left" are told by. */
export const useSystem = defineStore('system', () => {
  const status = shallowRef<SystemStatus | null>(null)
  const heardAt = ref(Date.now())
  const now = ref(Date.now())
  const doctor = shallowRef<DoctorReport | null>(null)
  const { error: doctorError, attempt } = useAttempt()
  const feedError = shallowRef<ErrorValue | null>(null)
  const examining = ref(false)
  const stale = computed(() => now.value - heardAt.value > 10_000)

  function open(): void {
    onFeedError(error => { feedError.value = error })
    api.system.status(undefined, events => {
      status.value = events.at(-1) ?? status.value
      now.value = heardAt.value = Date.now()
    })
    // The clock goes with what main tells each second, so that both are drawn in one frame; without main it goes by itself.
    setInterval(() => { if (Date.now() - now.value > tickMs) now.value = Date.now() }, tickMs)
  }

  async function examine(): Promise<void> {
    examining.value = true
    doctor.value = await attempt(() => api.system.doctor(undefined)) ?? doctor.value
    examining.value = false
  }

  return { status, now, heardAt, stale, doctor, doctorError, feedError, examining, open, examine }
})
