import type { ErrorValue } from '@contract/errors'
import { shallowRef } from 'vue'
import { errorValue } from '../api'

/** Runs requests and keeps the error of the last one that failed, until one succeeds. */
export function useAttempt() {
  const error = shallowRef<ErrorValue | null>(null)
  async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      const value = await action()
      error.value = null
      return value
    } catch (thrown) {
      error.value = errorValue(thrown)
      return undefined
    }
  }
  return { error, attempt }
}
