import { describe, expect, it } from 'vitest'
import { match } from '../../src/renderer/commands/fuzzy'
import { isPress } from '../../src/renderer/commands/keys'
import { hint, table } from '../../src/renderer/commands/table'

const press = (key: string, held: Partial<KeyboardEvent> = {}) => ({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held })

describe('keys', () => {
  it.each([
    ['Ctrl K', press('k', { ctrlKey: true }), true], ['Ctrl K', press('k', { metaKey: true }), true], ['Ctrl K', press('k'), false], ['Ctrl K', press('K', { ctrlKey: true, shiftKey: true }), false],
    ['Ctrl Shift L', press('L', { ctrlKey: true, shiftKey: true }), true], ['?', press('?', { shiftKey: true }), true], ['?', press('?', { ctrlKey: true }), false], ['/', press('/', { shiftKey: true }), true],
    ['C', press('c'), true], ['C', press('C', { shiftKey: true }), false], ['Esc', press('Escape'), true], ['Alt ←', press('ArrowLeft', { altKey: true }), true], ['Ctrl Enter', press('Enter', { ctrlKey: true }), true],
    ['Ctrl 1', press('&', { ctrlKey: true, code: 'Digit1' }), true], ['1', press('1', { ctrlKey: true }), false], ['Ctrl +', press('=', { ctrlKey: true }), true], ['↑ ↓', press('ArrowUp'), false],
  ])('%s, case %#', (keys, event, expected) => { expect(isPress(keys, event)).toBe(expected) })

  it('mean one thing each, on one page', () => {
    const pages = ['Runs', 'New run', 'Run', 'Queue', 'Charts and maps']
    for (const page of pages) {
      const there = Object.values(table).filter(words => !('local' in words) && [page, 'Everywhere', 'Go to', 'Charts and maps'].includes(words.group)).map(({ keys }) => keys)
      expect(new Set(there).size, page).toBe(there.length)
    }
  })

  it('stand in tooltips', () => {
    expect(hint('run.clone')).toBe('Clone with changes (D)')
    expect(hint('run.next', 'Resume at 1,200')).toBe('Resume at 1,200 (S)')
  })
})

describe('fuzzy search', () => {
  const best = (query: string, ...texts: string[]) => texts.map(text => ({ text, found: match(query, text) })).filter(({ found }) => found).sort((a, b) => b.found!.score - a.found!.score).map(({ text }) => text)

  it('takes letters in order, and puts starts of words first', () => {
    expect(best('nr', 'Engram', 'New run', 'Runs', 'Run next')).toEqual(['New run', 'Engram'])
    expect(best('run', 'Clone with changes', 'Overrun', 'New run', 'Runs')).toEqual(['Runs', 'New run', 'Overrun'])
    expect(best('swd', 'Switch between light and dark', 'Show window')).toEqual(['Switch between light and dark', 'Show window'])
    expect(best('lora8', 'eurosat-lora8-s1', 'eurosat-lora-rank 8', 'eurosat-ssf')[0]).toBe('eurosat-lora8-s1')
  })

  it('says where, so that it can be shown', () => {
    expect(match('nr', 'New run')?.at).toEqual([0, 4])
    expect(match('', 'New run')?.at).toEqual([])
    expect(match('xyz', 'New run')).toBeNull()
    expect(match('nwer', 'New run')).toBeNull()
  })

  it('reads ten thousand names at once', () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `eurosat dinov2 san ssf seed ${at}`)
    const start = performance.now()
    for (const name of names) match('esd', name)
    expect(performance.now() - start).toBeLessThan(500)
  })
})
