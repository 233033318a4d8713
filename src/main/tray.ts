import { app, type BrowserWindow, Menu, nativeImage, Tray } from 'electron'
import type { Services } from './services/index'
import { plural, progressWords } from './words'

/** Where the window goes while runs are trained without it. */
export interface TrayPlace { hide(): void; show(): void }

const REFRESH_MS = 2000
const ICON_PX = 22

export function createTray(window: BrowserWindow, { runs, queue }: Services, icon: string): TrayPlace {
  let tray: Tray | null = null
  let timer: NodeJS.Timeout | undefined

  function show(): void {
    clearInterval(timer)
    tray?.destroy()
    tray = null
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
  }

  async function refresh(): Promise<void> {
    const { lanes } = await queue.list()
    const training = lanes.flatMap(({ running }) => running ? [progressWords(runs.show({ run: running }).card)] : [])
    const waiting = lanes.reduce((sum, lane) => sum + lane.waiting.length, 0)
    const lines = [...(training.length > 0 ? training : ['Nothing is being trained']), ...(waiting > 0 ? [plural(waiting, 'run waits', 'runs wait')] : [])]
    tray?.setToolTip(`Engram\n${lines.join('\n')}`)
    tray?.setContextMenu(Menu.buildFromTemplate([
      ...lines.map(label => ({ label, enabled: false })), { type: 'separator' },
      { label: 'Open Engram', click: show },
      { label: 'Stop and save', enabled: training.length > 0, click: () => void stopAll().catch(console.error) },
      { label: 'Quit Engram', click: () => app.quit() },
    ]))
  }

  /** Nothing trains after this: the lanes are paused before their runs stop. */
  async function stopAll(): Promise<void> {
    const { lanes } = await queue.list()
    for (const { id, running } of lanes) {
      if (!running) continue
      await queue.pause({ lane: id, paused: true })
      runs.stop({ run: running })
    }
  }

  return {
    show,
    hide() {
      if (tray) return
      tray = new Tray(nativeImage.createFromPath(icon).resize({ width: ICON_PX, height: ICON_PX }))
      tray.on('click', show)
      const turn = () => void refresh().catch(() => { /* a run that is being removed; the next turn knows */ })
      turn()
      timer = setInterval(turn, REFRESH_MS)
      window.hide()
    },
  }
}
