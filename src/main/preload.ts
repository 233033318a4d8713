import { contextBridge, ipcRenderer, webUtils } from 'electron'
import type { Reply } from './contract/wire'

// The names of ipc/electron.ts; a sandboxed preload is one file and shares no module with main.
const CALL = 'engram:call'
const SUBSCRIBE = 'engram:subscribe'

let feeds = 0

/** All that the page can reach: one request, one subscription. Main parses whatever passes. */
const bridge = {
  /** Where a file lies that a person dropped or chose; a page cannot make such a file itself. */
  pathOf: (file: File): string => webUtils.getPathForFile(file),
  invoke: (path: string, input: unknown): Promise<Reply> => ipcRenderer.invoke(CALL, path, input) as Promise<Reply>,
  /** Ports cannot cross the bridge as values: the page gets its end as a window message that carries the returned id. */
  subscribe(path: string, input: unknown): string {
    const id = `feed-${++feeds}`
    const { port1, port2 } = new MessageChannel()
    ipcRenderer.postMessage(SUBSCRIBE, { path, input }, [port2])
    window.postMessage({ engramFeed: id }, '*', [port1])
    return id
  },
}

contextBridge.exposeInMainWorld('engram', bridge)
