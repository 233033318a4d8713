// TensorFlow's C library and the addon that tfjs-node calls it by. The npm package's own download is TensorFlow 2.9 of
// 2022 from a storage bucket; the wheels on PyPI hold the same C API of today, for the price of compiling two files.

import { existsSync, lstatSync, mkdirSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './command.mjs'
import { withLock } from './lock.mjs'
import { SetupError, Unavailable, patiently, say } from './log.mjs'
import { addonPath, ensureAddon } from './nativeAddon.mjs'
import { ensureLibraries, librariesFolder } from './nativeLibraries.mjs'
import { root } from './paths.mjs'
import { TENSORFLOW_VERSION } from './wheels.mjs'

const tfjsNode = join(root, 'node_modules/@tensorflow/tfjs-node-gpu')
const link = join(tfjsNode, 'lib/napi-v8/tfjs_binding.node')

/** Makes `@tensorflow/tfjs-node-gpu` loadable; resolves to where it is and for which device it was made. */
export async function ensureRuntime() {
  if (isOwnDownload()) return { device: 'unknown', folder: tfjsNode }
  const device = await chooseDevice()
  const folder = librariesFolder(device)
  const addon = addonPath(folder, tfjsNode)
  if (!existsSync(addon)) await install(device, folder)
  if (existsSync(addon)) linkTo(addon)
  return { device, folder }
}

async function install(device, folder) {
  await withLock('runtime', async () => {
    try {
      requirePlatform()
      await ensureLibraries(device)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      say(error.message)
      return ownDownload(device)
    }
    await ensureAddon(folder, tfjsNode)
  })
}

function requirePlatform() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Unavailable(`TensorFlow ${TENSORFLOW_VERSION} is set up on Linux x64 only, not on ${process.platform} ${process.arch}`)
  }
  if (!process.report.getReport().header.glibcVersionRuntime) {
    throw new Unavailable('TensorFlow needs a Linux with glibc (Debian, Ubuntu, Fedora, ...), not musl (Alpine)')
  }
}

/** ENGRAM_DEVICE decides; otherwise the GPU where an NVIDIA driver answers. */
async function chooseDevice() {
  const wish = process.env.ENGRAM_DEVICE
  if (wish === 'cpu' || wish === 'gpu') return wish
  if (wish) throw new SetupError(`ENGRAM_DEVICE is "${wish}"; it can be "cpu" or "gpu"`)
  // Asking for the device files first saves starting nvidia-smi on every machine without a GPU (dxg: WSL).
  if (!['/dev/nvidiactl', '/dev/dxg'].some((file) => existsSync(file))) return 'cpu'
  return run('nvidia-smi', ['-L'], { timeout: 10_000 }).then(
    () => 'gpu',
    () => 'cpu',
  )
}

/** Replaces the link in one step, so that a process starting meanwhile finds the old or the new addon, never none. */
function linkTo(addon) {
  if (existsSync(link) && realpathSync(link) === realpathSync(addon)) return
  mkdirSync(dirname(link), { recursive: true })
  const fresh = `${link}.${process.pid}`
  rmSync(fresh, { force: true })
  symlinkSync(addon, fresh)
  renameSync(fresh, link)
}

/** tfjs-node's own download leaves a file where ours is a link. */
function isOwnDownload() {
  const found = lstatSync(link, { throwIfNoEntry: false })
  return found?.isFile() === true && existsSync(join(tfjsNode, 'deps/lib'))
}

async function ownDownload(device) {
  say("trying tfjs-node's own download instead (TensorFlow 2.9; NVIDIA GPUs newer than Ampere will not work)")
  const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` }
  const options = { cwd: tfjsNode, env, timeout: 20 * 60_000 }
  const script = join(tfjsNode, 'scripts/install.js')
  const failure = await patiently('tfjs-node is downloading', () =>
    run(process.execPath, [script, device, 'download'], options).then(
      () => undefined,
      (error) => error,
    ),
  )
  if (isOwnDownload()) return
  rmSync(join(tfjsNode, 'deps'), { recursive: true, force: true })
  const why = failure?.message.match(/^.*Error: .*$/m)?.[0] ?? 'it left no library behind'
  throw new SetupError(
    `tfjs-node's own download failed as well (${why}).\n` +
      'TensorFlow could not be set up, and Engram does not fall back to anything slower. Give it a reachable Python\n' +
      'package index (PIP_INDEX_URL, pip.conf, HTTPS_PROXY) and start again.',
  )
}
