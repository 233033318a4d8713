import { type BrowserWindow, dialog, nativeTheme, shell } from 'electron'
import type { contract } from '../contract/index'
import { AppError } from '../contract/errors'
import type { Handlers } from '../contract/wire'
import type { Services } from '../services/index'

/** The services, and beside them what only a window can do. */
export function createHandlers(services: Services, window: BrowserWindow): Handlers<typeof contract> {
  return {
    ...services,
    settings: {
      ...services.settings,
      set(change) {
        const settings = services.settings.set(change)
        nativeTheme.themeSource = settings.theme
        return settings
      },
    },
    system: {
      ...services.system,
      async chooseFolder({ title }) {
        const chosen = await dialog.showOpenDialog(window, { title, properties: ['openDirectory', 'createDirectory'] })
        return chosen.filePaths[0] ?? null
      },
      async chooseFile({ title, extensions }) {
        const filters = extensions.length > 0 ? [{ name: title, extensions }] : []
        const chosen = await dialog.showOpenDialog(window, { title, properties: ['openFile'], filters })
        return chosen.filePaths[0] ?? null
      },
      /** Shows a place in the file manager; never opens, which could run it. */
      reveal({ path }) {
        if (!services.exists(path)) throw new AppError('not-found', `${path} does not exist any more.`)
        if (!services.isKnown(path)) throw new AppError('bad-input', `${path} is no place of Engram: only the workspace, what was added to it, and exports are shown.`)
        shell.showItemInFolder(path)
      },
    },
  }
}
