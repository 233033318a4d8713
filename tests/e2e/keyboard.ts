import type { Page } from 'playwright-core'
import { expect } from 'vitest'

export interface Stop { name: string; role: string; inside: string; visible: boolean }

/** What has the focus, as a screen reader names it, and whether a person can see that it has it. */
export function focused(page: Page): Promise<Stop> {
  return page.evaluate(() => {
    const at = document.activeElement as HTMLElement
    const labels = at.getAttribute('aria-labelledby')?.split(' ').map(id => document.getElementById(id)?.textContent ?? '').join(' ')
    const field = at instanceof HTMLInputElement ? at.labels?.[0]?.textContent : undefined
    const name = at.getAttribute('aria-label') ?? labels ?? field ?? (at.closest('.n-base-selection') ? at.closest('.field')?.querySelector('label')?.textContent : undefined) ?? at.innerText
    const drawn = (element: Element) => { const style = getComputedStyle(element); return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow.includes('0px 0px 0px') }
    const box = at.getBoundingClientRect()
    const parts = [at, ...at.querySelectorAll('.n-switch__rail, .n-checkbox-box__border, .n-base-selection__state-border'), ...at.closest('.n-input')?.querySelectorAll('.n-input__state-border') ?? [], ...at.closest('.n-base-selection')?.querySelectorAll('.n-base-selection__state-border') ?? [], ...at.matches('.palette input') ? [at] : []]
    const onScreen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
    return { name: name.trim().split('\n')[0]!, role: at.getAttribute('role') ?? at.tagName.toLowerCase(), inside: at.closest('[role=dialog], [role=menu], .card')?.getAttribute('aria-label') ?? '', visible: onScreen && parts.some(drawn) }
  })
}

/** Presses Tab until the stop is reached, and says what lay on the way; a stop that cannot be seen fails. */
export async function tabTo(page: Page, name: string | RegExp, inside: string | RegExp = /^/, keys = 'Tab'): Promise<string[]> {
  const way: string[] = []
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press(keys)
    const stop = await focused(page)
    expect(stop, `after ${way.join(' > ')}`).toMatchObject({ visible: true })
    way.push(stop.name)
    if ((typeof name === 'string' ? stop.name === name : name.test(stop.name)) && new RegExp(inside).test(stop.inside)) return way
  }
  throw new Error(`Tab does not reach ${String(name)}: ${way.join(' > ')}`)
}
