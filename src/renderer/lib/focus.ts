import { watch, type Ref } from 'vue'

const focusable = ':is(input:not([type=file]), textarea, select, button, a[href], [tabindex]):not([disabled], [tabindex="-1"])'

/** What Tab reaches inside an element, in order. */
export const focusablesIn = (element: Element): HTMLElement[] =>
  [...element.querySelectorAll<HTMLElement>(focusable)].filter(one => one.checkVisibility() && !one.closest('[aria-hidden=true]'))

/** Gives the focus back to where it was when something opened, unless a person has moved it elsewhere since. */
export function useFocusReturn(show: Ref<boolean>, inside: Readonly<Ref<HTMLElement | null>>): void {
  let opener: Element | null = null
  watch(show, open => {
    const { activeElement } = document
    if (open) opener = activeElement
    else if (opener instanceof HTMLElement && (activeElement === document.body || inside.value?.contains(activeElement))) {
      // the body takes no focus; what fades away must not keep it, and the keys with it
      if (opener === document.body && activeElement instanceof HTMLElement) activeElement.blur()
      else opener.focus({ preventScroll: true })
    }
  }, { flush: 'sync', immediate: true })
}

/** Moves the focus in once an element is in its place: until then the page would scroll to where it is not. */
export const focusSoon = (find: () => HTMLElement): void => { setTimeout(() => find().focus({ preventScroll: true }), 0) }

const steps: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

/** What an arrow key leads to from the choice that has the focus, in the group that listens; the press is used up. */
export function choiceAfter(event: KeyboardEvent, role = 'radio'): HTMLElement | undefined {
  const group = event.currentTarget
  if (event.ctrlKey || event.altKey || event.metaKey || !(group instanceof HTMLElement)) return undefined
  const choices = [...group.querySelectorAll<HTMLElement>(`[role=${role}]:not([disabled])`)]
  const at = choices.indexOf(document.activeElement as HTMLElement)
  const step = steps[event.key]
  const next = event.key === 'Home' ? 0 : event.key === 'End' ? choices.length - 1 : step === undefined ? -1 : (at + step + choices.length) % choices.length
  if (at < 0 || next < 0) return undefined
  event.preventDefault()
  return choices[next]
}
