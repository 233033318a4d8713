import { existsSync } from 'node:fs'
import { hasProgram, run } from './command.mjs'
import { withLock } from './lock.mjs'
import { SetupError, patiently, say } from './log.mjs'

const ELECTRON_PACKAGES = ['libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1', 'libxss1', 'libatk-bridge2.0-0']

/** The libraries that Electron's executable is linked with. */
export async function ensureElectronLibraries(executable) {
  if (process.platform !== 'linux' || (await missingLibraries(executable)).length === 0) return
  await installPackages(ELECTRON_PACKAGES, 'the window needs system libraries')
  const missing = await missingLibraries(executable)
  if (missing.length > 0) throw new SetupError(`Electron still lacks system libraries: ${missing.join(', ')}`)
}

async function missingLibraries(executable) {
  const listing = await run('ldd', [executable])
  return [...listing.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1])
}

/** A virtual screen, for tests on a machine that has none. */
export async function ensureVirtualScreen() {
  if (!hasProgram('Xvfb')) await installPackages(['xvfb'], 'testing the window without a screen needs Xvfb')
}

/** Installs Debian packages where that is allowed; elsewhere tells the one line that does. */
export async function installPackages(packages, reason) {
  const debian = existsSync('/etc/debian_version') && hasProgram('apt-get')
  if (!debian) throw new SetupError(`${reason}; install what your system calls ${packages.join(', ')} (Debian's names)`)
  if (process.getuid?.() !== 0) {
    throw new SetupError(`${reason}; run this once and start again:\n  sudo apt-get install -y ${packages.join(' ')}`)
  }
  await withLock('apt', () => aptInstall(packages, reason))
}

async function aptInstall(packages, reason) {
  say(`${reason}: installing ${packages.join(' ')} (apt-get)`)
  // A failed update need not matter: the lists already there may do.
  await run('apt-get', ['update', '-q']).catch((error) => say(error.message.split('\n').pop()))
  const names = await Promise.all(packages.map(currentName))
  const waitForDpkg = ['-o', 'DPkg::Lock::Timeout=300']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const args = ['install', '-y', '-qq', '--no-install-recommends', ...waitForDpkg, ...names]
  await patiently('apt-get is installing', () => run('apt-get', args, { env }))
}

/** Debian 13 and Ubuntu 24.04 renamed libraries with 64-bit time (libasound2 -> libasound2t64). */
async function currentName(name) {
  return run('apt-cache', ['show', '--no-all-versions', `${name}t64`]).then(
    () => `${name}t64`,
    () => name,
  )
}
