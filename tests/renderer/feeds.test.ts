import { beforeEach, expect, it, vi } from 'vitest'
import type { ErrorValue } from '@contract/errors'

type OnMessage = (event: { data: unknown; ports: unknown[] }) => void
type Port = { onmessage?: (message: { data: unknown }) => void; close(): void }
const ports = new Map<string, Port>()

/** The part of a window that feeds need. */
async function openApi() {
  let onMessage: OnMessage = () => undefined
  const subscribe = (path: string) => {
    const port: Port = { close: () => undefined }
    ports.set(path, port)
    queueMicrotask(() => onMessage({ data: { engramFeed: path }, ports: [port] }))
    return path
  }
  vi.stubGlobal('window', { engram: { subscribe }, addEventListener: (_: string, listener: OnMessage) => { onMessage = listener } })
  vi.resetModules()
  return import('../../src/renderer/api')
}
beforeEach(() => ports.clear())

it('an error of a feed is told until whoever listens to the feed leaves', async () => {
  const { api, onFeedError } = await openApi()
  const told: (ErrorValue | null)[] = []
  onFeedError(error => { told.push(error) })
  const leaveRun = api.runs.watch({ run: 'run-1', after: -1 }, () => undefined)
  const leaveQueue = api.queue.watch(undefined, () => undefined)
  await Promise.resolve()
  const fail = (path: string, message: string) => ports.get(path)!.onmessage!({ data: { error: { code: 'run-state', message } } })
  fail('queue.watch', 'no queue')
  fail('runs.watch', 'no run')
  leaveRun()
  leaveQueue()
  leaveQueue()
  expect(told.map(error => error?.message ?? null)).toEqual(['no queue', 'no run', 'no queue', null])
})
