import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { AppError } from '../../src/main/contract/errors'

const handlers = new Map<string, (event: unknown, ...args: unknown[]) => unknown>()
const ipcMain = Object.assign(new EventEmitter(), {
  handle: (channel: string, handler: (event: unknown, ...args: unknown[]) => unknown) => { handlers.set(channel, handler) },
  removeHandler: (channel: string) => { handlers.delete(channel) },
})
vi.mock('electron', () => ({ ipcMain }))
const { CALL, serveWindow, SUBSCRIBE } = await import('../../src/main/ipc/electron')

class Port extends EventEmitter {
  sent: unknown[] = []
  closed = false
  start() {}
  postMessage(message: unknown) { this.sent.push(message) }
  close() {
    this.closed = true
    this.emit('close')
  }
}

function fakeWindow() {
  const mainFrame = { name: 'top' }
  const webContents = Object.assign(new EventEmitter(), { mainFrame })
  const window = Object.assign(new EventEmitter(), { webContents, isDestroyed: () => false })
  return { window, webContents, mainFrame }
}

type Emit = (events: unknown[]) => void
let feeds: { emit: Emit; closed: number }[]
const openFeed = vi.fn(async (path: unknown, _input: unknown, emit: Emit) => {
  if (path === 'runs.wrong') throw new AppError('bad-input', 'Wrong.')
  const feed = { emit, closed: 0 }
  feeds.push(feed)
  return () => { feed.closed++ }
})
const answer = vi.fn(async () => ({ ok: true as const, value: 1 }))
let fake: ReturnType<typeof fakeWindow>
const ours = () => ({ sender: fake.webContents, senderFrame: fake.mainFrame })
const settle = () => new Promise(resolve => setTimeout(resolve, 0))
async function subscribe(path = 'runs.changes', from: object = ours()): Promise<Port> {
  const port = new Port()
  ipcMain.emit(SUBSCRIBE, { ...from, ports: [port] }, { path, input: undefined })
  await settle()
  return port
}

beforeEach(() => {
  handlers.clear()
  ipcMain.removeAllListeners()
  vi.clearAllMocks()
  feeds = []
  fake = fakeWindow()
  serveWindow(fake.window as never, answer, openFeed)
})

describe('only the top frame of our window', () => {
  const strangers: [string, () => object][] = [
    ['a frame inside the page', () => ({ sender: fake.webContents, senderFrame: { name: 'inner' } })],
    ['a frame that is gone', () => ({ sender: fake.webContents, senderFrame: null })],
    ['another window', () => ({ sender: new EventEmitter(), senderFrame: fake.mainFrame })],
  ]
  it.each(strangers)('may call: %s may not', async (_, stranger) => {
    expect(await handlers.get(CALL)!(stranger(), 'runs.list', undefined)).toMatchObject({ ok: false, error: { code: 'bad-input' } })
    expect(answer).not.toHaveBeenCalled()
    expect((await subscribe('runs.changes', stranger())).closed).toBe(true)
    expect(openFeed).not.toHaveBeenCalled()
  })

  it('is answered', async () => {
    expect(await handlers.get(CALL)!(ours(), 'runs.list', undefined)).toEqual({ ok: true, value: 1 })
  })
})

describe('a feed', () => {
  it('sends batches until its port closes', async () => {
    const port = await subscribe()
    feeds[0]!.emit([1, 2])
    expect(port.sent).toEqual([{ events: [1, 2] }])
    port.close()
    feeds[0]!.emit([3])
    expect(port.sent).toHaveLength(1)
    expect(feeds[0]!.closed).toBe(1)
  })

  it('ends with a navigation, a crash of the page, or the window', async () => {
    for (const end of [
      () => fake.webContents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false }),
      () => fake.webContents.emit('render-process-gone'),
      () => fake.window.emit('closed'),
    ]) {
      const port = await subscribe()
      end()
      expect(port.closed).toBe(true)
    }
    expect(feeds.map(({ closed }) => closed)).toEqual([1, 1, 1])
    expect(handlers.size).toBe(0)
  })

  it('stays when the page moves inside itself', async () => {
    const port = await subscribe()
    fake.webContents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: true })
    fake.webContents.emit('did-start-navigation', { isMainFrame: false, isSameDocument: false })
    expect(port.closed).toBe(false)
  })

  it('tells its error as a message', async () => {
    const port = await subscribe('runs.wrong')
    expect(port.sent).toEqual([{ error: { code: 'bad-input', message: 'Wrong.' } }])
  })

  it('without a port is ignored', () => {
    ipcMain.emit(SUBSCRIBE, { ...ours(), ports: [] }, { path: 'runs.changes' })
    ipcMain.emit(SUBSCRIBE, { ...ours(), ports: [new Port()] }, undefined)
    expect(openFeed).toHaveBeenCalledTimes(1)
  })
})
