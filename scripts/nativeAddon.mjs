import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasProgram, run } from './command.mjs'
import { say } from './log.mjs'
import { root, shortHash } from './paths.mjs'
import { installPackages } from './systemPackages.mjs'

const SOURCES = ['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc']
// The addon speaks Node-API, so one build serves every Node and Electron; version 8 is the newest that tfjs-node asks for.
const FLAGS = ['-std=c++17', '-O2', '-shared', '-fPIC', '-DNAPI_VERSION=8', '-w']
const LIBRARIES = ['-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', '-Wl,-rpath,$ORIGIN/../tensorflow']

/** Named after what it is compiled from, so a newer tfjs-node gets an addon of its own. */
export function addonPath(folder, tfjsNode) {
  const sources = SOURCES.map((file) => readFileSync(join(tfjsNode, file)))
  return join(folder, `addon-${shortHash(...sources, ...FLAGS, ...LIBRARIES)}`, 'tfjs_binding.node')
}

/** Compiles the addon beside the libraries and proves that it loads. */
export async function ensureAddon(folder, tfjsNode) {
  const target = addonPath(folder, tfjsNode)
  if (existsSync(target)) return
  if (!hasProgram('g++')) await installPackages(['g++'], "compiling TensorFlow's addon needs a C++ compiler")
  say("compiling TensorFlow's addon (about 10 seconds)")
  const staging = `${target}.tmp-${process.pid}.node`
  mkdirSync(dirname(target), { recursive: true })
  try {
    await run('g++', compileArguments(folder, tfjsNode, staging))
    const version = await run(process.execPath, ['-p', 'require(process.argv[1]).TF_Version', staging], quiet())
    renameSync(staging, target)
    say(`TensorFlow ${version.trim().split('\n').pop()} is ready`)
  } finally {
    rmSync(staging, { force: true })
  }
}

function compileArguments(folder, tfjsNode, output) {
  const tensorflow = join(folder, 'tensorflow')
  const includes = [tfjsNode, join(tensorflow, 'include'), join(root, 'node_modules/node-api-headers/include')]
  const sources = SOURCES.map((file) => join(tfjsNode, file))
  return [...FLAGS, ...includes.map((path) => `-I${path}`), ...sources, '-o', output, `-L${tensorflow}`, ...LIBRARIES]
}

const quiet = () => ({ env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } })
