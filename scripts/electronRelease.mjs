import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { download } from './download.mjs'
import { electronFolder } from './electronPath.mjs'
import { say } from './log.mjs'
import { cacheDir, root } from './paths.mjs'
import { stagingFor } from './staging.mjs'

// Where a firewall swallows packets nothing ever answers; a reachable server does within this time.
const PATIENCE = 15_000

/** Electron's own release, checked against the checksums that its npm package carries. */
export async function installRelease(version) {
  say(`downloading Electron ${version}`)
  const folder = electronFolder(version)
  const staging = stagingFor(folder)
  try {
    mkdirSync(join(staging, 'dist'), { recursive: true })
    const zip = await downloadRelease(version, staging)
    const { extract } = await electronDependency('@electron-internal/extract-zip')
    await extract(zip, { dir: join(staging, 'dist') })
    rmSync(folder, { recursive: true, force: true })
    renameSync(join(staging, 'dist'), folder)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** Electron's own downloader knows mirrors (ELECTRON_MIRROR) and checksums; ours resumes and gives up on silence. */
async function downloadRelease(version, tempDirectory) {
  const { ElectronDownloadCacheMode, downloadArtifact } = await electronDependency('@electron/get')
  const kept = join(cacheDir(), 'downloads', `electron-${version}.zip`)
  mkdirSync(join(cacheDir(), 'downloads'), { recursive: true })
  const downloader = {
    async download(url, target) {
      if (!existsSync(kept)) await download(url, kept, { label: `Electron ${version}`, patience: PATIENCE })
      renameSync(kept, target)
    },
  }
  const checksums = JSON.parse(readFileSync(join(root, 'node_modules/electron/checksums.json'), 'utf8'))
  const cacheMode = ElectronDownloadCacheMode.Bypass
  return downloadArtifact({ version, artifactName: 'electron', checksums, downloader, cacheMode, tempDirectory })
}

/** npm may keep them below electron or beside it. */
async function electronDependency(name) {
  const nested = join(root, 'node_modules/electron/node_modules', name, 'package.json')
  const folder = existsSync(nested) ? join(nested, '..') : join(root, 'node_modules', name)
  const { exports, main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entry = typeof exports === 'string' ? exports : (exports?.['.']?.default ?? main)
  return import(join(folder, entry))
}
