import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { _electron, type ElectronApplication, type Locator, type Page } from 'playwright-core'
import type { Reply } from '../../src/main/contract/wire'
import { electronFlags, electronPath } from '../../scripts/electronPath.mjs'

export interface Workbench { app: ElectronApplication; page: Page; problems: string[]; shots: string; workspace: string; close(): Promise<void> }

/** Opens the built application on a workspace of its own, or on one that another left. Pictures go to ENGRAM_SHOTS, else into a temporary folder. */
export async function openWorkbench(left?: string): Promise<Workbench> {
  const temporary = mkdtempSync(join(tmpdir(), 'engram-e2e-'))
  const shots = process.env['ENGRAM_SHOTS'] ?? join(temporary, 'shots')
  mkdirSync(shots, { recursive: true })
  const workspace = left ?? join(temporary, 'workspace')
  const executablePath = electronPath()
  if (!executablePath) throw new Error('Electron is not here; `npm test -- e2e` fetches it')
  const env = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[0] !== 'ELECTRON_RUN_AS_NODE'))
  const folder = process.env['ENGRAM_E2E_APP'] ?? resolve(import.meta.dirname, '../..')
  const app = await _electron.launch({ executablePath, args: [...electronFlags(), folder, '--workspace', workspace], env, timeout: 60_000 })
  const page = await app.firstWindow()
  const problems: string[] = []
  page.on('pageerror', error => problems.push(error.message))
  page.on('console', message => { if (message.type() === 'error') problems.push(message.text()) })
  await page.waitForSelector('.shell')
  return { app, page, problems, shots, workspace, close: () => endApp(app) }
}

/** The same in the light theme, whatever the system's is: where `lookAround` begins. */
export async function openLight(): Promise<Workbench> {
  const bench = await openWorkbench()
  await ask(bench.page, 'settings.set', { theme: 'light' })
  await bench.page.reload()
  return bench
}

/** Pictures of the page as it is, in both themes at both sizes; it ends as it began. */
export async function lookAround({ app, page, shots }: Workbench, name: string): Promise<void> {
  for (const theme of ['dark', 'light']) {
    await page.keyboard.press('Control+Shift+L')
    for (const [width, height] of [[1024, 700], [1440, 900]] as const) {
      await app.evaluate(({ BrowserWindow }, [w, h]) => BrowserWindow.getAllWindows()[0]!.setContentSize(w, h), [width, height] as const)
      await page.waitForTimeout(600)
      await page.screenshot({ path: join(shots, `${name}-${theme}-${width}.png`) })
    }
  }
}

interface Place { x: number; y: number }
/** Drags with the mouse from one place to another, both seen from the upper left of `what`. */
export async function dragMouse(page: Page, what: Locator, from: Place, to: Place): Promise<void> {
  const { x, y } = (await what.boundingBox())!
  await page.mouse.move(x + from.x, y + from.y)
  await page.mouse.down()
  await page.mouse.move(x + to.x, y + to.y, { steps: 4 })
  await page.mouse.up()
}

/** Asks main as the page does. */
export async function ask<T>(page: Page, path: string, input?: unknown): Promise<T> {
  const reply = await page.evaluate(([name, value]) => (window as unknown as { engram: { invoke(name: unknown, value: unknown): Promise<Reply> } }).engram.invoke(name, value), [path, input] as const)
  if (!reply.ok) throw new Error(reply.error.message)
  return reply.value as T
}

// The window asks before it closes while a run trains; a test that failed half-way must not wait for an answer.
async function endApp(app: ElectronApplication): Promise<void> {
  await app.evaluate(({ app: electron }) => electron.exit(0)).catch(() => undefined)
  await app.close().catch(() => undefined)
}
