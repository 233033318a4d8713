import { type BrowserWindow, Notification, powerSaveBlocker } from 'electron'
import type { Services } from './services/index'
import type { TrayPlace } from './tray'
import { endWords } from './words'

/** What a training asks of the machine beside computing: no sleep meanwhile, and a word at its end when nobody looks. */
export function attendTrainings(window: BrowserWindow, services: Services, tray: TrayPlace): void {
  services.queue.watch(undefined, ([state]) => keepAwake(services.settings.get().keepAwake && state!.lanes.some(({ running }) => running !== null)))
  services.queue.onEnded(run => void tellEnd(run).catch(() => { /* the run was removed */ }))

  async function tellEnd(run: string): Promise<void> {
    if (window.isDestroyed() || window.isFocused() || !services.settings.get().notify || !Notification.isSupported()) return
    const { lanes } = await services.queue.list()
    const words = endWords(services.runs.show({ run }).card, lanes.reduce((sum, { waiting }) => sum + waiting.length, 0))
    if (!words) return
    const notification = new Notification(words)
    notification.on('click', () => {
      tray.show()
      void window.webContents.executeJavaScript(`location.hash = ${JSON.stringify(`#/runs/${run}`)}`)
    })
    notification.show()
  }
}

let blocker: number | null = null

function keepAwake(wanted: boolean): void {
  if (wanted === (blocker !== null)) return
  if (blocker !== null) powerSaveBlocker.stop(blocker)
  blocker = wanted ? powerSaveBlocker.start('prevent-app-suspension') : null
}
