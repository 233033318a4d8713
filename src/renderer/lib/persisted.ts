import { ref, watch, type Ref } from 'vue'

/** A ref that outlives views and window reloads; broken or foreign content falls back to the initial value. */
export function persisted<T>(key: string, initial: T): Ref<T> {
  const state = ref(read(key) ?? initial) as Ref<T>
  watch(state, value => localStorage.setItem(`engram.${key}`, JSON.stringify(value)), { deep: true })
  return state

  function read(name: string): T | undefined {
    try {
      const text = localStorage.getItem(`engram.${name}`)
      return text === null ? undefined : JSON.parse(text) as T
    } catch {
      return undefined
    }
  }
}
