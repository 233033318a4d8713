import type { ErrorValue } from '@contract/errors'
import type { Settings } from '@contract/system'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watchEffect } from 'vue'
import { api, errorValue } from '../api'
import type { ThemeName } from '../theme/tokens'

export const defaultSettings: Settings = { theme: 'system', density: 'comfortable', scale: 1, railCollapsed: false, smoothing: 0.9, cacheLimitBytes: 2e10, checkpointBudgetBytes: null, closing: 'ask', startQueue: true, notify: true, runViews: [], hintsSeen: 0, keepAwake: true, hubEndpoint: '' }

/** The workspace's settings: applied at once, saved by main. */
export const useSettings = defineStore('settings', () => {
  const values = ref<Settings>({ ...defaultSettings })
  const loaded = ref(false)
  const error = shallowRef<ErrorValue | null>(null)
  const darkSystem = ref(false)
  const theme = computed<ThemeName>(() => values.value.theme === 'system' ? (darkSystem.value ? 'dark' : 'light') : values.value.theme)

  async function open(): Promise<void> {
    const query = window.matchMedia('(prefers-color-scheme: dark)')
    darkSystem.value = query.matches
    query.addEventListener('change', event => { darkSystem.value = event.matches })
    watchEffect(applyToPage)
    await ask(api.settings.get(undefined))
  }

  function applyToPage(): void {
    const page = document.documentElement
    page.dataset['theme'] = theme.value
    page.dataset['density'] = values.value.density
    page.style.setProperty('zoom', values.value.scale === 1 ? '' : String(values.value.scale))
  }

  async function ask(reply: Promise<Settings>): Promise<void> {
    try {
      values.value = await reply
      error.value = null
      loaded.value = true
    } catch (thrown) {
      error.value = errorValue(thrown)
    }
  }

  /** Shows the change at once; what main answers is what holds. */
  async function set(change: Partial<Settings>): Promise<void> {
    Object.assign(values.value, change)
    await ask(api.settings.set(change))
  }

  return { values, loaded, theme, error, open, set }
})
