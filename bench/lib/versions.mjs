import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../scripts/command.mjs'
import { root, shortHash } from '../../scripts/paths.mjs'
import { TENSORFLOW_VERSION } from '../../scripts/wheels.mjs'

const PACKAGES = ['torch', 'timm', 'peft', 'transformers']
/** What a training step is made of; a change elsewhere needs no new measurement. */
const MEASURED = ['contract', 'engine', 'store', 'worker']

/** The versions of both sides. `engine` tells one state of Engram's sources from another. */
export async function describeVersions(python) {
  const code = `import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in ${JSON.stringify(PACKAGES)}}))`
  const packages = JSON.parse(await run(python, ['-c', code]))
  return { ...packages, tensorflow: TENSORFLOW_VERSION, node: process.versions.node, commit: commit(), engine: engineHash() }
}

function engineHash() {
  const files = MEASURED.flatMap((name) => {
    const folder = join(root, 'src/main', name)
    return readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts')).sort().map((file) => join(folder, file))
  })
  return shortHash(...files.map((file) => readFileSync(file)))
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}
