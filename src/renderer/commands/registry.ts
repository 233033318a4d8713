import type { Component } from 'vue'
import { computed, onBeforeUnmount, onMounted, shallowReactive } from 'vue'
import { isBusy, isPress } from './keys'
import { type CommandId, keysOf, wordsOf } from './table'

/** Something that can be done now. `keys` only where the table has them. */
export interface Command { id: string; group: string; label: string; keys: string; icon?: Component; detail?: string; apply(): unknown }

const providers = shallowReactive(new Map<symbol, () => Command[]>())

/** The commands of what is open; the page's own come before those that are always there. */
export const commands = computed(() => [...providers.values()].reverse().flatMap(provide => provide()))

/** An action of the table, as it can be done now; the label may say more than the table does. */
export const command = (id: CommandId, apply: () => unknown, more: { label?: string; icon?: Component } = {}): Command =>
  ({ id, keys: keysOf(id), group: wordsOf(id).group, label: wordsOf(id).label, ...more, apply })

/** Offers commands for as long as the component is there. */
export function useCommands(provide: () => Command[]): void {
  const key = Symbol('commands')
  onMounted(() => providers.set(key, provide))
  onBeforeUnmount(() => providers.delete(key))
}

/** Runs the command whose keys were pressed, wherever the focus is. */
export function useCommandKeys(): void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || isBusy(event)) return
    const pressed = commands.value.find(({ keys }) => keys !== '' && isPress(keys, event))
    if (!pressed) return
    event.preventDefault()
    pressed.apply()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
