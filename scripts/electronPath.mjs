// Where Electron is. For start.mjs and for the tests that open the real window.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, root } from './paths.mjs'

/** The npm package below carries Electron 33.2.1: what runs where release pages cannot be reached. */
export const NPM_ELECTRON = '33.2.1'

const EXECUTABLES = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' }
export const executableName = EXECUTABLES[process.platform] ?? 'electron'

/** The release that package.json asks for. */
export function releaseVersion() {
  return JSON.parse(readFileSync(join(root, 'node_modules/electron/package.json'), 'utf8')).version
}

export function electronFolder(version) {
  return join(cacheDir(), 'electron', `${version}-${process.platform}-${process.arch}`)
}

/** The executable of the wanted release, if it is here: the user's own, electron's own install, or ours. */
export function releasePath() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (override) return join(override, executableName)
  const folders = [join(root, 'node_modules/electron/dist'), electronFolder(releaseVersion())]
  return folders.map((folder) => join(folder, executableName)).find((file) => existsSync(file))
}

export function npmElectronPath() {
  const file = join(electronFolder(NPM_ELECTRON), executableName)
  return existsSync(file) ? file : undefined
}

/** The executable to run; undefined before ensureElectron has been there. */
export function electronPath() {
  return releasePath() ?? npmElectronPath()
}

/** Flags before the application's folder: Chromium's sandbox refuses to work for root. */
export function electronFlags() {
  return process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
}
