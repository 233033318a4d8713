import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { SetupError } from './log.mjs'
import { ensureVirtualScreen } from './systemPackages.mjs'

/** Runs `task` with a DISPLAY: the one there is, else an Xvfb of its own that ends with it. */
export async function withScreen(task) {
  if (process.platform !== 'linux' || process.env.DISPLAY) return task()
  await ensureVirtualScreen()
  // -displayfd: Xvfb picks a free number itself and writes it to descriptor 3 once it answers.
  const args = ['-displayfd', '3', '-screen', '0', '2560x1440x24', '-nolisten', 'tcp']
  const server = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const number = await Promise.race([once(server.stdio[3], 'data'), once(server, 'exit').then(() => undefined)])
  if (!number) throw new SetupError('Xvfb did not start')
  process.env.DISPLAY = `:${String(number[0]).trim()}`
  const stop = () => server.kill()
  process.once('exit', stop)
  try {
    return await task()
  } finally {
    delete process.env.DISPLAY
    process.off('exit', stop)
    stop()
  }
}
