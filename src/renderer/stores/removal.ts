import { shallowRef } from 'vue'

const undoMs = 8000

/** Things on their way out: hidden at once, taken out when the time for Undo is over. */
export function useRemoval(takeOut: (ids: string[]) => Promise<void>) {
  const leaving = shallowRef<ReadonlySet<string>>(new Set())
  let timer: ReturnType<typeof setTimeout> | undefined
  let undone: (() => void) | undefined

  /** `onUndo` puts back what was undone beside the removal itself. */
  function remove(ids: string[], onUndo?: () => void): void {
    void finishRemoval()
    undone = onUndo
    leaving.value = new Set(ids)
    timer = setTimeout(() => void finishRemoval(), undoMs)
  }

  function undoRemoval(): void {
    clearTimeout(timer)
    leaving.value = new Set()
    undone?.()
  }

  async function finishRemoval(): Promise<void> {
    clearTimeout(timer)
    const ids = [...leaving.value]
    if (ids.length === 0) return
    await takeOut(ids)
    leaving.value = new Set([...leaving.value].filter(id => !ids.includes(id)))
  }

  return { leaving, remove, undoRemoval, finishRemoval }
}
