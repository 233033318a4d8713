import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { SetupError, say } from './log.mjs'
import { npmAttached } from './npm.mjs'
import { root, shortHash } from './paths.mjs'

/** Makes node_modules agree with package-lock.json. */
export async function ensureDependencies() {
  requireNode()
  if (areCurrent()) return
  await withLock(`dependencies-${shortHash(root)}`, async () => {
    if (areCurrent()) return
    say('installing the npm packages (npm ci)')
    const start = Date.now()
    const code = await npmCi()
    if (code !== 0 || !areCurrent()) {
      throw new SetupError(`npm ci failed (exit code ${code}); its messages are above. Is the npm registry reachable?`)
    }
    say(`npm packages installed in ${Math.round((Date.now() - start) / 1000)} s`)
  })
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new SetupError(`Engram needs Node 20.19 or newer; this is Node ${process.versions.node}.`)
}

/** Compares the lock file with the one that npm leaves in node_modules when it has finished. */
function areCurrent() {
  const wanted = readPackages('package-lock.json')
  const installed = readPackages('node_modules/.package-lock.json')
  if (!wanted) throw new SetupError('package-lock.json is missing or unreadable: this is not a whole checkout.')
  if (!installed) return false
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    const found = installed[path]
    return found ? found.version === version : path === '' || optional || devOptional
  })
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return undefined
  }
}

// --include=dev: also where NODE_ENV=production is set.
const npmCi = () => npmAttached('ci', '--include=dev', '--loglevel=error', '--no-progress')
