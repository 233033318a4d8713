import { app, type BrowserWindow, dialog } from 'electron'
import { toErrorValue } from './contract/errors'
import type { Services } from './services/index'
import type { TrayPlace } from './tray'
import { plural } from './words'

/** Says why there will be no window, on the terminal and on the screen. */
export async function refuseToStart(thrown: unknown): Promise<void> {
  const { message } = toErrorValue(thrown)
  console.error(`Engram: ${message}`)
  await app.whenReady()
  dialog.showErrorBox('Engram cannot start', message)
  app.exit(1)
}

const BUTTONS = ['Keep running in the tray', 'Stop and save', 'Cancel'] as const

/** Closing the window while runs are trained keeps them going, or stops and saves them; a person chooses, once or for good. */
export function askBeforeClosing(window: BrowserWindow, { runs, settings }: Services, tray: TrayPlace): void {
  let quitting = false
  let asking = false
  app.on('before-quit', () => { quitting = true })
  window.on('close', event => {
    if (quitting || runs.training().length === 0) return
    event.preventDefault()
    if (!asking) void decide().finally(() => { asking = false })
  })

  async function decide(): Promise<void> {
    asking = true
    const { closing } = settings.get()
    const way = closing === 'ask' ? await ask() : closing
    if (way === 'tray') tray.hide()
    else if (way === 'stop') app.quit()
  }

  async function ask(): Promise<'tray' | 'stop' | null> {
    const count = runs.training().length
    const { response, checkboxChecked } = await dialog.showMessageBox(window, {
      type: 'question', buttons: [...BUTTONS], defaultId: 0, cancelId: 2, noLink: true, checkboxLabel: 'Do this every time (Settings changes it back)',
      message: `${plural(count, 'run is', 'runs are')} being trained.`,
      detail: 'In the tray training goes on without the window; opening Engram again brings it back. Stopping saves a checkpoint, from which Resume goes on; runs that wait stay in the queue.',
    })
    const way = response === 0 ? 'tray' : response === 1 ? 'stop' : null
    if (way && checkboxChecked) settings.set({ closing: way })
    return way
  }
}

/** Quitting waits until every trainer has saved. */
export function closeBeforeQuitting(close: () => Promise<void>): void {
  let closed = false
  app.on('before-quit', event => {
    if (closed) return
    event.preventDefault()
    void close().catch(thrown => console.error(thrown)).finally(() => {
      closed = true
      app.quit()
    })
  })
  app.on('window-all-closed', () => app.quit())
}
