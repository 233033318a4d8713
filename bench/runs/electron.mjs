import { once } from 'node:events'
import { resolve } from 'node:path'
import { _electron } from 'playwright-core'
import { electronFlags, electronPath } from '../../scripts/electronPath.mjs'

/** The built window on a workspace; closed, it writes there no more. */
export async function openWindow(workspace) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'ELECTRON_RUN_AS_NODE'))
  const app = await _electron.launch({ executablePath: electronPath(), args: [...electronFlags(), resolve(import.meta.dirname, '../..'), '--workspace', workspace], env, timeout: 120_000 })
  const ended = once(app.process(), 'exit')
  const close = async () => {
    await app.evaluate(({ app: electron }) => electron.exit(0)).catch(() => undefined)
    await ended
  }
  return { app, page: await app.firstWindow({ timeout: 120_000 }), close }
}

/** Of each process of the window: what it is, its memory in MB, and the seconds of processor it has had. */
export const processes = (app) => app.evaluate(({ app: electron }) =>
  electron.getAppMetrics().map(({ type, name, memory, cpu }) => ({ what: name ?? { Browser: 'main', Tab: 'renderer' }[type] ?? type, megabytes: memory.workingSetSize / 1000, seconds: cpu.cumulativeCPUUsage })))
