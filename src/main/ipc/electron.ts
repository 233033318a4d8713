import { type BrowserWindow, ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, type MessagePortMain } from 'electron'
import type { Answer, OpenFeed } from './serve'
import { reported } from './serve'

export const CALL = 'engram:call'
export const SUBSCRIBE = 'engram:subscribe'
/** A page has a dozen open; each costs main a timer or a watch. */
const MOST_FEEDS = 500

/** Connects the contract to one window: requests by `invoke`, feeds by a port each that the preload made. */
export function serveWindow(window: BrowserWindow, answer: Answer, openFeed: OpenFeed): void {
  const feeds = new Set<() => void>()
  const closeAll = () => { for (const close of [...feeds]) close() }
  const contents = window.webContents

  ipcMain.handle(CALL, (event, path: unknown, input: unknown) => {
    if (!isOurs(event, window)) return { ok: false, error: { code: 'bad-input', message: 'This frame may not call Engram.' } }
    return answer(path, input)
  })
  const subscribe = (event: IpcMainEvent, request: { path?: unknown; input?: unknown } | undefined) => {
    const port = event.ports[0]
    if (!port) return
    if (!isOurs(event, window) || feeds.size >= MOST_FEEDS) return port.close()
    void attach(port, emit => openFeed(request?.path, request?.input, emit), feeds)
  }
  ipcMain.on(SUBSCRIBE, subscribe)
  // A reloaded page has none of its ports any more.
  contents.on('did-start-navigation', details => { if (details.isMainFrame && !details.isSameDocument) closeAll() })
  contents.on('render-process-gone', closeAll)
  window.once('closed', () => {
    closeAll()
    ipcMain.removeHandler(CALL)
    ipcMain.off(SUBSCRIBE, subscribe)
  })
}

/** Only the top frame of our own window; a frame inside it, or another window, is refused. */
function isOurs(event: IpcMainEvent | IpcMainInvokeEvent, window: BrowserWindow): boolean {
  return !window.isDestroyed() && event.sender === window.webContents && event.senderFrame !== null && event.senderFrame === window.webContents.mainFrame
}

async function attach(port: MessagePortMain, open: (emit: (events: unknown[]) => void) => Promise<() => void>, feeds: Set<() => void>): Promise<void> {
  let unsubscribe: (() => void) | null = null
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    feeds.delete(close)
    unsubscribe?.()
    port.close()
  }
  feeds.add(close)
  port.on('close', close)
  port.start()
  try {
    unsubscribe = await open(events => { if (!closed) port.postMessage({ events }) })
    if (closed) unsubscribe()
  } catch (thrown) {
    if (!closed) port.postMessage({ error: reported(thrown) })
    // The message must leave before the port does.
    setTimeout(close, 1000)
  }
}

