import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Reply } from '../../src/main/contract/wire'
import { ask, openWorkbench, type Workbench } from './window'

let bench: Workbench
const page = (): Page => bench.page
const invoke = (script: string) => page().evaluate(script) as Promise<Reply>
beforeAll(async () => { bench = await openWorkbench() }, 90_000)
afterAll(async () => { await bench.close() })

test('a window that the application did not open is refused, also with the same preload', async () => {
  const preload = resolve(process.env['ENGRAM_E2E_APP'] ?? resolve(import.meta.dirname, '../..'), 'out/preload/preload.cjs')
  expect(existsSync(preload)).toBe(true)
  const reply = await bench.app.evaluate(async ({ BrowserWindow }, file) => {
    const stranger = new BrowserWindow({ show: false, webPreferences: { preload: file, sandbox: true, contextIsolation: true } })
    await stranger.loadURL('data:text/html,<p>stranger</p>')
    const answer: unknown = await stranger.webContents.executeJavaScript(`window.engram.invoke('runs.list')`)
    stranger.destroy()
    return answer
  }, preload)
  expect(reply).toMatchObject({ ok: false, error: { code: 'bad-input', message: 'This frame may not call Engram.' } })
})

test('a frame inside the page is not loaded, and has no bridge', async () => {
  await page().evaluate(`new Promise(done => { const frame = document.createElement('iframe'); frame.onload = done; frame.src = 'data:text/html,<p>inner</p>'; document.body.append(frame); setTimeout(done, 2000) })`)
  const bridges = await Promise.all(page().frames().slice(1).map(frame => frame.evaluate(`typeof window.engram`).catch(() => 'undefined')))
  expect(bridges.every(kind => kind === 'undefined')).toBe(true)
  await page().evaluate(`document.querySelector('iframe').remove()`)
  // The refusal itself is told in the console.
  bench.problems.length = 0
})

test('large and strange messages through the real bridge are refused, and main goes on', async () => {
  const refused = { ok: false, error: { code: 'bad-input' } }
  expect(await invoke(`window.engram.invoke('runs.show', { run: 'x'.repeat(10_000_000) })`)).toMatchObject(refused)
  expect(await invoke(`window.engram.invoke('settings.set', { theme: 'dark', extra: new Uint8Array(10_000_000) })`)).toMatchObject(refused)
  expect(await invoke(`window.engram.invoke('x'.repeat(10_000_000), undefined)`)).toMatchObject(refused)
  expect(await invoke(`window.engram.invoke('settings.set', new Map([['theme', 'dark']]))`)).toMatchObject(refused)
  expect(await invoke(`window.engram.invoke('system.reveal', { path: '/etc' })`)).toMatchObject(refused)
  await page().evaluate(`for (let i = 0; i < 2000; i++) window.engram.subscribe('system.status', i % 2 ? undefined : { bad: i })`)
  await page().evaluate(`for (const bad of [null, 7, '', {}, []]) window.engram.subscribe(bad, bad)`)
  expect(await ask(page(), 'runs.list')).toEqual([])
})

test('the page goes nowhere else', async () => {
  const address = page().url()
  await page().evaluate(`location.href = 'file:///etc/passwd'; window.open('https://example.org'); undefined`).catch(() => undefined)
  await page().waitForTimeout(500)
  expect(page().url()).toBe(address)
  expect(bench.app.windows()).toHaveLength(1)
  expect(await page().evaluate(`fetch('file:///etc/passwd').then(() => 'read', () => 'refused')`)).toBe('refused')
  expect(existsSync(join(bench.workspace, 'runs'))).toBe(true)
})
