import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchWheel } from './fetchWheel.mjs'
import { SetupError, say } from './log.mjs'
import { cacheDir } from './paths.mjs'
import { stagingFor } from './staging.mjs'
import { unzip } from './unzip.mjs'
import { TENSORFLOW_VERSION, wheels } from './wheels.mjs'

const HEADERS = ['tensorflow/c', 'tensorflow/core/platform', 'xla/tsl', 'tsl'].map((folder) => `tensorflow/include/${folder}/`)

export function librariesFolder(device) {
  return join(cacheDir(), 'runtime', `tensorflow-${TENSORFLOW_VERSION}-${device}-${process.platform}-${process.arch}`)
}

/** Unpacks the pinned wheels' C libraries and headers; the folder appears whole or not at all. */
export async function ensureLibraries(device) {
  const folder = librariesFolder(device)
  if (existsSync(folder)) return
  requireSpace(device)
  const staging = stagingFor(folder)
  try {
    // All downloads before the first unpacking: what is killed half-way keeps the files that it has.
    const files = []
    for (const wheel of wheels[device]) files.push(await fetchWheel(wheel, join(cacheDir(), 'downloads')))
    for (const [index, wheel] of wheels[device].entries()) await unpack(wheel, files[index], staging)
    writeFileSync(join(staging, 'runtime.json'), JSON.stringify(describe(device, folder), null, 2))
    renameSync(staging, folder)
    for (const file of files) rmSync(file)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

async function unpack(wheel, file, folder) {
  say(`unpacking ${wheel.name}`)
  await unzip(file, folder, (name) => placeOf(name, wheel))
}

/** Keeps the wheels' own layout: TensorFlow finds CUDA by $ORIGIN/../nvidia/NAME/lib. */
function placeOf(name, wheel) {
  if (/^tensorflow\/libtensorflow_(cc|framework)\.so/.test(name)) return name
  if (HEADERS.some((prefix) => name.startsWith(prefix))) return name
  if (/^nvidia\/[^/]+\/lib\/[^/]+\.so[^/]*$/.test(name)) return name
  if (/^nvidia\/cuda_nvcc\/(bin|nvvm)\//.test(name)) return name
  const notice = name.match(/(?:dist-info|^tensorflow)\/(?:licenses\/)?((?:LICENSE|License|NOTICE|THIRD_PARTY)[^/]*)$/)
  return notice ? `licenses/${wheel.name}/${notice[1]}` : null
}

/** What a process that loads this runtime should know; XLA looks for libdevice and ptxas where it is told. */
function describe(device, folder) {
  const environment = device === 'gpu' ? { XLA_FLAGS: `--xla_gpu_cuda_data_dir=${join(folder, 'nvidia/cuda_nvcc')}` } : {}
  return { tensorflow: TENSORFLOW_VERSION, device, wheels: wheels[device].map(({ file, sha256 }) => ({ file, sha256 })), environment }
}

function requireSpace(device) {
  mkdirSync(cacheDir(), { recursive: true })
  const { bavail, bsize } = statfsSync(cacheDir())
  const needed = device === 'gpu' ? 9e9 : 1.5e9
  if (bavail * bsize >= needed) return
  const gigabytes = (bytes) => (bytes / 1e9).toFixed(1)
  throw new SetupError(
    `${cacheDir()} has ${gigabytes(bavail * bsize)} GB free, TensorFlow needs ${gigabytes(needed)} GB; ` +
      'ENGRAM_CACHE can name another folder',
  )
}
