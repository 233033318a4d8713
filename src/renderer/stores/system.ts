import type { ErrorValue } from '@contract/errors'
import type { DoctorReport, SystemStatus } from '@contract/system'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api, errorValue, onFeedError } from '../api'

/** The machine: device, memory, disk; and the clock that "ago" and "left" are told by. */
export const useSystem = defineStore('system', () => {
  const status = shallowRef<SystemStatus | null>(null)
  const heardAt = ref(Date.now())
  const now = ref(Date.now())
  const doctor = shallowRef<DoctorReport | null>(null)
  const doctorError = shallowRef<ErrorValue | null>(null)
  const feedError = shallowRef<ErrorValue | null>(null)
  const examining = ref(false)
  const stale = computed(() => now.value - heardAt.value > 10_000)

  function open(): void {
    onFeedError(error => { feedError.value = error })
    api.system.status(undefined, events => {
      status.value = events.at(-1) ?? status.value
      heardAt.value = Date.now()
    })
    setInterval(() => { now.value = Date.now() }, 1000)
  }

  async function examine(): Promise<void> {
    examining.value = true
    try {
      doctor.value = await api.system.doctor(undefined)
      doctorError.value = null
    } catch (thrown) {
      doctorError.value = errorValue(thrown)
    } finally {
      examining.value = false
    }
  }

  return { status, now, heardAt, stale, doctor, doctorError, feedError, examining, open, examine }
})
