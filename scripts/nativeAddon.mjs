import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hasProgram, run } from './command.mjs'
import { say } from './log.mjs'
import { root, shortHash } from './paths.mjs'
import { stagingFor } from './staging.mjs'
import { installPackages } from './systemPackages.mjs'

const BINDING = ['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc']
const NATIVE = join(root, 'scripts/native')
const QUIET_LOG = join(NATIVE, 'quietLog.cc')
const OPERATIONS = ['fused.cc', 'attention.cc', 'matmul.cc', 'pages.cc'].map((file) => join(NATIVE, file))
const HEADERS = readdirSync(NATIVE).filter((file) => file.endsWith('.h')).map((file) => join(NATIVE, file))
// The addon speaks Node-API, so one build serves every Node and Electron; version 8 is the newest that tfjs-node asks for.
// -O3 and no errno or traps: the loops of our operations become vector instructions.
const FLAGS = ['-std=c++17', '-O3', '-fno-math-errno', '-fno-trapping-math', '-fPIC', '-DNAPI_VERSION=8', '-w']
const QUIET_FLAGS = ['-Wl,-z,initfirst', '-Wl,-soname,libquietlog.so']
const LIBRARIES = [
  '-Wl,--no-as-needed',
  ...['libquietlog.so', 'libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map((file) => `-l:${file}`),
  '-Wl,-rpath,$ORIGIN:$ORIGIN/../tensorflow',
]

/** Its folder is named after all it is compiled from, so a newer tfjs-node gets an addon of its own. */
export function addonPath(folder, tfjsNode) {
  const sources = [...BINDING.map((file) => join(tfjsNode, file)), ...OPERATIONS, ...HEADERS, QUIET_LOG].map((file) => readFileSync(file))
  return join(folder, `addon-${shortHash(...sources, ...FLAGS, ...QUIET_FLAGS, ...LIBRARIES)}`, 'tfjs_binding.node')
}

/** Compiles the addon beside the libraries and proves that it loads. */
export async function ensureAddon(folder, tfjsNode) {
  const target = dirname(addonPath(folder, tfjsNode))
  if (existsSync(target)) return
  if (!hasProgram('g++')) await installPackages(['g++'], "compiling TensorFlow's addon needs a C++ compiler")
  say("compiling TensorFlow's addon (about half a minute)")
  const staging = stagingFor(target)
  mkdirSync(staging, { recursive: true })
  try {
    await compile(folder, tfjsNode, staging)
    say(`TensorFlow ${await loadedVersion(join(staging, 'tfjs_binding.node'))} is ready`)
    renameSync(staging, target)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

async function compile(folder, tfjsNode, output) {
  await run('g++', [...FLAGS, '-shared', QUIET_LOG, ...QUIET_FLAGS, '-o', join(output, 'libquietlog.so')])
  const tensorflow = join(folder, 'tensorflow')
  const includes = [tfjsNode, join(tensorflow, 'include'), join(root, 'node_modules/node-api-headers/include')]
  const sources = [...BINDING.map((file) => join(tfjsNode, file)), ...OPERATIONS]
  const objects = await Promise.all(sources.map(async (source) => {
    const object = join(output, `${basename(source)}.o`)
    await run('g++', [...FLAGS, '-c', source, ...includes.map((path) => `-I${path}`), '-o', object])
    return object
  }))
  await run('g++', ['-shared', ...objects, '-o', join(output, 'tfjs_binding.node'), `-L${output}`, `-L${tensorflow}`, ...LIBRARIES])
  objects.forEach((object) => rmSync(object))
}

async function loadedVersion(addon) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' }
  const output = await run(process.execPath, ['-p', 'require(process.argv[1]).TF_Version', addon], { env })
  return output.trim().split('\n').pop()
}
