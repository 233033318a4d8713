import type { Api } from '@contract/index'
import type { Bridge } from '../../src/renderer/api'

type AnyCall = (input: unknown, on?: (events: unknown[]) => void) => unknown

/** The preload's bridge over an api in the same window, message ports included. */
export function createFakeBridge(api: Api): Bridge {
  const at = (path: string): AnyCall => {
    const [group = '', name = ''] = path.split('.')
    const call = (api as unknown as Record<string, Record<string, AnyCall>>)[group]?.[name]
    if (!call) throw new Error(`No ${path}`)
    return call
  }
  return {
    pathOf: file => file.name,
    async invoke(path, input) {
      try {
        return { ok: true, value: structuredClone(await at(path)(input)) }
      } catch (thrown) {
        return { ok: false, error: { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) } }
      }
    },
    subscribe(path, input) {
      const id = crypto.randomUUID()
      const { port1, port2 } = new MessageChannel()
      at(path)(input, events => port1.postMessage({ events }))
      window.postMessage({ engramFeed: id }, '*', [port2])
      return id
    },
  }
}
