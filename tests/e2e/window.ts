import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { electronFlags, electronPath } from '../../scripts/electronPath.mjs'

export interface Workbench { app: ElectronApplication; page: Page; problems: string[]; shots: string; close(): Promise<void> }

/** Opens the built application on a workspace of its own. Pictures go to ENGRAM_SHOTS, else into a temporary folder. */
export async function openWorkbench(): Promise<Workbench> {
  const temporary = mkdtempSync(join(tmpdir(), 'engram-e2e-'))
  const shots = process.env['ENGRAM_SHOTS'] ?? join(temporary, 'shots')
  mkdirSync(shots, { recursive: true })
  const executablePath = electronPath()
  if (!executablePath) throw new Error('Electron is not here; `npm test -- e2e` fetches it')
  const env = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[0] !== 'ELECTRON_RUN_AS_NODE'))
  const folder = process.env['ENGRAM_E2E_APP'] ?? resolve(import.meta.dirname, '../..')
  const app = await _electron.launch({ executablePath, args: [...electronFlags(), folder, '--workspace', join(temporary, 'workspace')], env, timeout: 60_000 })
  const page = await app.firstWindow()
  const problems: string[] = []
  page.on('pageerror', error => problems.push(error.message))
  page.on('console', message => { if (message.type() === 'error') problems.push(message.text()) })
  await page.waitForSelector('.shell')
  return { app, page, problems, shots, close: () => endApp(app) }
}

// The window asks before it closes while a run trains; a test that failed half-way must not wait for an answer.
async function endApp(app: ElectronApplication): Promise<void> {
  await app.evaluate(({ app: electron }) => electron.exit(0)).catch(() => undefined)
  await app.close().catch(() => undefined)
}
