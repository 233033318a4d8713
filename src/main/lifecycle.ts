import { app, type BrowserWindow, dialog } from 'electron'
import { toErrorValue } from './contract/errors'
import type { Services } from './services/index'

/** Says why there will be no window, on the terminal and on the screen. */
export async function refuseToStart(thrown: unknown): Promise<void> {
  const { message } = toErrorValue(thrown)
  console.error(`Engram: ${message}`)
  await app.whenReady()
  dialog.showErrorBox('Engram cannot start', message)
  app.exit(1)
}

/** A person who closes the window while runs are trained is asked; whoever ends the program otherwise is not. */
export function askBeforeClosing(window: BrowserWindow, services: Services): void {
  let quitting = false
  app.on('before-quit', () => { quitting = true })
  window.on('close', event => {
    const count = services.runs.training().length
    if (quitting || count === 0) return
    event.preventDefault()
    const runs = count === 1 ? 'A run is being trained' : `${count} runs are being trained or wait`
    const chosen = dialog.showMessageBoxSync(window, {
      type: 'question', buttons: ['Stop and quit', 'Keep training'], defaultId: 1, cancelId: 1, noLink: true,
      message: `${runs}.`, detail: 'Stopping saves a checkpoint; Resume goes on from there.',
    })
    if (chosen === 0) app.quit()
  })
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
