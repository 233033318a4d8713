import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installRelease } from './electronRelease.mjs'
import { installFromNpm, placeDefaultApp } from './electronFromNpm.mjs'
import { electronPath, npmElectronPath, releasePath, releaseVersion } from './electronPath.mjs'
import { withLock } from './lock.mjs'
import { SetupError, say } from './log.mjs'
import { cacheDir } from './paths.mjs'
import { ensureElectronLibraries } from './systemPackages.mjs'

const DAY = 24 * 3600_000

/** Makes an Electron runnable here and resolves to its executable. */
export async function ensureElectron() {
  if (!isSettled()) {
    await withLock('electron', async () => {
      if (!isSettled()) await install()
    })
  }
  const executable = electronPath()
  if (executable === npmElectronPath()) placeDefaultApp(dirname(executable))
  await ensureElectronLibraries(executable)
  return executable
}

/** The wanted release is here, or the stand-in is and the release could not be had a short while ago. */
const isSettled = () => Boolean(releasePath()) || (failedRecently() && Boolean(npmElectronPath()))

async function install() {
  const release = releaseVersion()
  const reason = failedRecently() ? undefined : await tryRelease(release)
  if (releasePath() || npmElectronPath()) return
  try {
    await installFromNpm()
  } catch (error) {
    const first = reason ?? `Electron ${release} could not be downloaded a short while ago (ENGRAM_ELECTRON_RETRY=1 tries again)`
    throw new SetupError(`${first}\n${error.message}\nELECTRON_OVERRIDE_DIST_PATH can name the folder of an Electron that is already here.`)
  }
}

/** Resolves to why it failed; remembers that for a day, so that not every start waits for it. */
async function tryRelease(version) {
  try {
    await installRelease(version)
    rmSync(failureMark(), { force: true })
    return undefined
  } catch (error) {
    const reason = `Electron ${version} could not be downloaded: ${error.message}`
    say(reason)
    mkdirSync(dirname(failureMark()), { recursive: true })
    writeFileSync(failureMark(), reason)
    return reason
  }
}

function failedRecently() {
  if (process.env.ENGRAM_ELECTRON_RETRY) return false
  const mark = statSync(failureMark(), { throwIfNoEntry: false })
  return mark !== undefined && Date.now() - mark.mtimeMs < DAY
}

const failureMark = () => join(cacheDir(), 'electron', `${releaseVersion()}.failed`)
