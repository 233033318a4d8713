import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BrowserWindow, nativeTheme, screen, session } from 'electron'
import { z } from 'zod'
import { readJson } from './store/jsonFile'
import { writeJsonAtomic } from './store/atomic'

const WindowState = z.object({ width: z.int().min(1), height: z.int().min(1), x: z.int().optional(), y: z.int().optional(), maximized: z.boolean() })
type WindowState = z.infer<typeof WindowState>

const SMALLEST = { width: 1024, height: 700 }
const USUAL: WindowState = { width: 1440, height: 900, maximized: false }
/** The bar's height in the window's own layout. */
const TITLE_BAR_HEIGHT = 39
/** What shows before the page does, and behind its window buttons; as in the page's own tokens. */
const COLOURS = { light: { back: '#F4F4F3', sign: '#50555B' }, dark: { back: '#131416', sign: '#ADB2B7' } }
const colours = () => nativeTheme.shouldUseDarkColors ? COLOURS.dark : COLOURS.light

/** Makes the one window. It shows local files only, and can reach nothing but the bridge. */
export function openWindow({ preload, page, stateFile }: { preload: string; page: string; stateFile: string }): BrowserWindow {
  const state = onScreen(readJson(stateFile, WindowState, () => USUAL))
  const window = new BrowserWindow({
    ...SMALLEST, ...placeOf(state), minWidth: SMALLEST.width, minHeight: SMALLEST.height, show: false, title: 'Engram',
    backgroundColor: colours().back, titleBarStyle: 'hidden', ...(hasOverlay ? { titleBarOverlay: overlay() } : {}),
    webPreferences: { preload, sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false, spellcheck: false },
  })
  window.removeMenu()
  if (state.maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  window.on('close', () => rememberPlace(window, stateFile))
  confine(window, page)
  revive(window)
  void window.loadURL(page)
  return window
}

/** During development electron-vite serves the page; otherwise it is a file of ours. */
export const pageAddress = (file: string): string => process.env['ELECTRON_RENDERER_URL'] ?? pathToFileURL(file).href
export const preloadFile = (outMain: string): string => join(outMain, '../preload/preload.cjs')
export const pageFile = (outMain: string): string => join(outMain, '../renderer/index.html')

/** macOS keeps its own buttons. */
const hasOverlay = process.platform !== 'darwin'
const overlay = () => ({ color: colours().back, symbolColor: colours().sign, height: TITLE_BAR_HEIGHT })

/** Keeps the window buttons readable when the theme changes. */
export function followTheme(window: BrowserWindow): void {
  nativeTheme.on('updated', () => {
    if (window.isDestroyed()) return
    window.setBackgroundColor(colours().back)
    if (hasOverlay) window.setTitleBarOverlay(overlay())
  })
}

const SETTLED_MS = 10_000
const LONGEST_WAIT_MS = 8000

/** A page that died is loaded again; main and its trainers go on meanwhile. One that dies again and again is given ever more time. */
function revive(window: BrowserWindow): void {
  let wait = 0
  let diedAt = 0
  window.webContents.on('render-process-gone', () => {
    wait = Date.now() - diedAt > SETTLED_MS ? 0 : Math.min(LONGEST_WAIT_MS, wait * 2 || 500)
    diedAt = Date.now()
    setTimeout(() => { if (!window.isDestroyed()) window.webContents.reload() }, wait)
  })
}

const COPYING = 'clipboard-sanitized-write'

/** No navigation, no file but those of the page itself, no further window, no permission but to copy text, no webview: the page is the application. */
function confine(window: BrowserWindow, page: string): void {
  const { webContents } = window
  const samePage = (url: string) => url.split('#')[0] === page.split('#')[0] || (page.startsWith('http') && URL.canParse(url) && new URL(url).origin === new URL(page).origin)
  webContents.on('will-navigate', event => { if (!samePage(event.url)) event.preventDefault() })
  webContents.on('will-frame-navigate', event => { if (!samePage(event.url)) event.preventDefault() })
  webContents.on('will-attach-webview', event => event.preventDefault())
  webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  const ownFiles = new URL('.', page).href
  // A page that is a file may read every file: its content policy takes all of them for its own.
  session.defaultSession.webRequest.onBeforeRequest({ urls: ['file://*/*'] }, ({ url }, answer) => answer({ cancel: !url.startsWith(ownFiles) }))
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) => answer(permission === COPYING))
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => permission === COPYING)
}

const placeOf = ({ width, height, x, y }: WindowState) => ({ width, height, ...(x !== undefined && y !== undefined ? { x, y } : {}) })

/** A place on a screen that is gone would hide the window. */
function onScreen(state: WindowState): WindowState {
  const size = { width: Math.max(SMALLEST.width, state.width), height: Math.max(SMALLEST.height, state.height), maximized: state.maximized }
  const { x, y } = state
  if (x === undefined || y === undefined) return size
  const visible = screen.getAllDisplays().some(({ workArea: area }) =>
    x >= area.x - 50 && y >= area.y - 50 && x < area.x + area.width - 100 && y < area.y + area.height - 100)
  return visible ? { ...size, x, y } : size
}

function rememberPlace(window: BrowserWindow, stateFile: string): void {
  try {
    writeJsonAtomic(stateFile, { ...window.getNormalBounds(), maximized: window.isMaximized() } satisfies WindowState)
  } catch { /* a full disk must not keep the window from closing */ }
}
