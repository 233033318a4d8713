import type { Api } from '@contract/index'
import type { RunMatches, RunQuery } from '@contract/runQuery'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { createFakeBridge } from './fakeBridge'

const found = (...runs: string[]): RunMatches => ({ total: 3, groups: [{ value: null, runs, best: null }] })
/** Of each query the words, and how to answer it. */
let asked: { words: string; answer: (matches: RunMatches) => void }[]

async function openMatches() {
  const query = ({ words }: RunQuery) => new Promise<RunMatches>(answer => { asked.push({ words, answer }) })
  vi.stubGlobal('window', { engram: createFakeBridge({ runs: { query } } as unknown as Api), addEventListener: () => undefined })
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined })
  vi.resetModules()
  const { useMatches } = await import('../../src/renderer/runs/useMatches')
  const { useRunViews } = await import('../../src/renderer/stores/runViews')
  const views = useRunViews()
  const { matches } = effectScope().run(() => useMatches())!
  const type = async (words: string) => {
    views.change({ query: { words } })
    await nextTick()
  }
  return { matches, type, shown: () => matches.value?.groups.flatMap(group => group.runs) }
}
const answer = async (...runs: string[]) => {
  asked.at(-1)!.answer(found(...runs))
  await new Promise(done => setTimeout(done, 0))
}

beforeEach(() => {
  asked = []
  setActivePinia(createPinia())
})

it('what was found for the same words before stands until the index answers', async () => {
  const { matches, type, shown } = await openMatches()
  await answer('a', 'b', 'c')
  const all = matches.value
  await type('pets')
  expect(shown(), 'no words like these yet').toEqual(['a', 'b', 'c'])
  await answer('b')
  await type('')
  expect(asked.at(-1)!.words).toBe('')
  expect(matches.value).toBe(all)
  await answer('a', 'b', 'c')
  expect(matches.value, 'the same answer draws nothing again').toBe(all)
  await type('pets')
  expect(shown()).toEqual(['b'])
  await answer('b', 'c')
  expect(shown(), 'the index has the last word').toEqual(['b', 'c'])
})

it('an answer that comes late does not take the place of a newer one', async () => {
  const { type, shown } = await openMatches()
  await answer('a')
  await type('pets')
  const late = asked.at(-1)!
  await type('pets lora')
  await answer('b')
  late.answer(found('c'))
  await new Promise(done => setTimeout(done, 0))
  expect(shown()).toEqual(['b'])
})
