import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { hasProgram, run } from './command.mjs'
import { download, sha256Of } from './download.mjs'
import { SetupError, Unavailable, patiently, say } from './log.mjs'
import { findInIndex } from './packageIndex.mjs'
import { stagingFor } from './staging.mjs'

/** Brings one pinned wheel into `folder`: by pip, which knows the user's index, mirrors and proxies; else over HTTPS. */
export async function fetchWheel(wheel, folder) {
  const target = join(folder, wheel.file)
  mkdirSync(folder, { recursive: true })
  if (existsSync(target) && (await sha256Of(target)) === wheel.sha256) return target
  const problems = []
  for (const way of [byPip, overHttps]) {
    try {
      await way(wheel, folder)
      return target
    } catch (error) {
      problems.push(error.message)
    }
  }
  throw new Unavailable(`${wheel.file} could not be downloaded:\n${problems.map((line) => `  - ${line}`).join('\n')}`)
}

async function byPip(wheel, folder) {
  const python = ['python3', 'python'].find(hasProgram)
  if (!python) throw new SetupError('no Python with pip here')
  await run(python, ['-m', 'pip', '--version'])
  say(`downloading ${wheel.name} ${wheel.version} with pip (${wheel.megabytes} MB)`)
  const staging = stagingFor(join(folder, 'pip'))
  const args = ['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--disable-pip-version-check', '--dest', staging]
  try {
    await patiently(`pip is downloading ${wheel.name}`, () => run(python, [...args, ...pipSelection(wheel)]))
    const file = join(staging, wheel.file)
    if (!existsSync(file)) throw new SetupError(`pip found another file than ${wheel.file}`)
    if ((await sha256Of(file)) !== wheel.sha256) throw new SetupError(`${wheel.file} from pip has a wrong sha256`)
    renameSync(file, join(folder, wheel.file))
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** Names the exact file, whatever Python runs pip. */
function pipSelection(wheel) {
  const platforms = wheel.platforms.flatMap((platform) => ['--platform', platform])
  const interpreter = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311']
  return ['--only-binary=:all:', ...interpreter, ...platforms, `${wheel.name}==${wheel.version}`]
}

async function overHttps(wheel, folder) {
  const found = await findInIndex(wheel)
  say(`downloading ${wheel.name} ${wheel.version} (${wheel.megabytes} MB)`)
  await download(found.url, join(folder, wheel.file), { sha256: wheel.sha256, headers: found.headers, label: wheel.name })
}
