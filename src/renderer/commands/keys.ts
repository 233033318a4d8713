const modifiers = ['Ctrl', 'Alt', 'Shift']
const names: Record<string, string> = { Esc: 'Escape', Space: ' ', '←': 'ArrowLeft', '→': 'ArrowRight', '↑': 'ArrowUp', '↓': 'ArrowDown' }
type Press = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/** Whether a press is the one that the table writes as "Ctrl Shift L". The layout decides where signs lie, so Shift counts for letters alone. */
export function isPress(keys: string, event: Press): boolean {
  const parts = keys.split(' ')
  const held = new Set(parts.filter(part => modifiers.includes(part)))
  const rest = parts.filter(part => !held.has(part))
  const key = rest[0] ?? ''
  if (rest.length !== 1 || held.has('Ctrl') !== (event.ctrlKey || event.metaKey) || held.has('Alt') !== event.altKey) return false
  if (/^[A-Z]$/.test(key) && held.has('Shift') !== event.shiftKey) return false
  const digit = /^\d$/.test(key) && event.code === `Digit${key}`
  return digit || event.key.toLowerCase() === (names[key] ?? key).toLowerCase() || (key === '+' && event.key === '=')
}

/** Keys without Ctrl or Alt are letters to somebody who writes, and none of the page's business while a dialog is open. */
export function isBusy(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false
  const at = event.target instanceof HTMLElement ? event.target : null
  return Boolean(at?.closest('input:not([type=range], [type=checkbox]), textarea, [contenteditable=true], dialog, [role=dialog], [role=listbox], [role=menu]')) || document.querySelector('[aria-modal=true]') !== null
}
