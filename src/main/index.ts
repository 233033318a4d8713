import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { app, nativeTheme, utilityProcess } from 'electron'
import { attendTrainings } from './attend'
import { serveWindow } from './ipc/electron'
import { createHandlers } from './ipc/handlers'
import { serveImages } from './ipc/images'
import { createAnswer, createOpenFeed } from './ipc/serve'
import { keychain } from './keychain'
import { askBeforeClosing, closeBeforeQuitting, refuseToStart } from './lifecycle'
import { createServices } from './services/index'
import { openWorkspace, resourcesFolder, workspaceRoot } from './store/paths'
import { emptyOldTrash } from './store/trash'
import { lockWindow } from './store/windowLock'
import { createTray } from './tray'
import { utilityFork } from './worker/fork'
import { followTheme, openWindow, pageAddress, pageFile, preloadFile } from './window'

const outMain = import.meta.dirname

async function start(): Promise<void> {
  app.setName('Engram')
  const { values } = parseArgs({ args: process.argv.slice(1), options: { workspace: { type: 'string' } }, strict: false })
  const workspace = openWorkspace(workspaceRoot(typeof values.workspace === 'string' ? values.workspace : undefined))
  // Chromium's own files: two windows on two workspaces must not share them.
  app.setPath('userData', join(workspace.root, '.window'))
  // A second start on the same workspace brings the first one's window to the front, and then is refused by the lock.
  app.requestSingleInstanceLock()
  const lock = lockWindow(workspace)
  emptyOldTrash(workspace)
  const services = createServices({
    workspace: workspace.root, resources: resourcesFolder(outMain), version: app.getVersion(),
    hub: { keychain }, fork: utilityFork(utilityProcess, join(outMain, 'trainer.js')),
  })
  closeBeforeQuitting(async () => {
    await services.close()
    lock.release()
  })
  await app.whenReady()
  serveImages(services.images)
  nativeTheme.themeSource = services.settings.get().theme
  const window = openWindow({ preload: preloadFile(outMain), page: pageAddress(pageFile(outMain)), stateFile: workspace.windowState })
  const handlers = createHandlers(services, window)
  serveWindow(window, createAnswer(handlers), createOpenFeed(handlers))
  followTheme(window)
  const tray = createTray(window, services, join(resourcesFolder(outMain), 'icon.png'))
  app.on('second-instance', tray.show)
  askBeforeClosing(window, services, tray)
  attendTrainings(window, services, tray)
  await services.goOn(!services.settings.get().startQueue)
}

start().catch(refuseToStart)
