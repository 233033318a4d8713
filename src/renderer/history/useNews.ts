import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { useSystem } from '../stores/system'

/** A number that rises when there is something new to show: the first time at once, then with the clock, so that a page is drawn in one frame a second. */
export function useNews(): { version: Ref<number>; tell(): void; restart(): void } {
  const system = useSystem()
  const version = ref(0)
  let [shown, waiting] = [false, false]
  onScopeDispose(watch(() => system.now, () => {
    if (waiting) version.value++
    waiting = false
  }))
  return {
    version,
    tell() {
      if (shown) waiting = true
      else version.value++
      shown = true
    },
    restart() { [shown, waiting] = [false, false] },
  }
}
