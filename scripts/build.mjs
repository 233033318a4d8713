import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { run } from './command.mjs'
import { withLock } from './lock.mjs'
import { SetupError, say } from './log.mjs'
import { root, shortHash } from './paths.mjs'
import { stagingFor } from './staging.mjs'

const INPUTS = ['src', 'electron.vite.config.ts', 'package.json', 'package-lock.json']
const out = join(root, 'out')
const stamp = join(out, 'fingerprint')

/** Brings out/ up to date with the sources; several at once build it once. */
export async function ensureBuild() {
  if (isCurrent()) return
  await withLock(`build-${shortHash(root)}`, async () => {
    if (!isCurrent()) await build()
  })
}

const isCurrent = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint()

async function build() {
  say('building the application')
  const start = Date.now()
  const before = fingerprint()
  const staging = stagingFor(out)
  try {
    await electronVite(staging)
    // The fingerprint of before: a file changed during the build makes the next start build again.
    writeFileSync(join(staging, 'fingerprint'), before)
    replaceOut(staging)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  say(`built in ${((Date.now() - start) / 1000).toFixed(1)} s`)
}

async function electronVite(folder) {
  const cli = join(root, 'node_modules/electron-vite/bin/electron-vite.js')
  try {
    await run(process.execPath, [cli, 'build', '--outDir', folder], { cwd: root })
  } catch (error) {
    throw new SetupError(`the application does not build:\n${error.message}`)
  }
}

function replaceOut(staging) {
  const old = `${staging}.old`
  if (existsSync(out)) renameSync(out, old)
  renameSync(staging, out)
  rmSync(old, { recursive: true, force: true })
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const file of INPUTS.flatMap((path) => listFiles(join(root, path)))) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

function listFiles(path) {
  const entries = readdirIfFolder(path)
  if (!entries) return existsSync(path) ? [path] : []
  return entries.sort().flatMap((name) => listFiles(join(path, name)))
}

function readdirIfFolder(path) {
  try {
    return readdirSync(path)
  } catch {
    return undefined
  }
}
