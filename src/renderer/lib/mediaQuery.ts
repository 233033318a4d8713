import { onScopeDispose, ref, type Ref } from 'vue'

/** Whether a media query holds, as a ref. */
export function useMediaQuery(text: string): Ref<boolean> {
  const query = window.matchMedia(text)
  const matches = ref(query.matches)
  const follow = (event: MediaQueryListEvent) => { matches.value = event.matches }
  query.addEventListener('change', follow)
  onScopeDispose(() => query.removeEventListener('change', follow))
  return matches
}
