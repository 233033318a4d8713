import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hasProgram, run } from '../../scripts/command.mjs'
import { withLock } from '../../scripts/lock.mjs'
import { SetupError, patiently, say } from '../../scripts/log.mjs'
import { cacheDir, shortHash } from '../../scripts/paths.mjs'
import { installPackages } from '../../scripts/systemPackages.mjs'

const REQUIREMENTS = resolve(import.meta.dirname, '../requirements.txt')
const CPU_WHEELS = 'https://download.pytorch.org/whl/cpu'
/** What would ask for a CUDA build of torch, or for what asks for it. */
const ALONE = ['torchvision', 'timm']

/** A Python with PyTorch, timm and PEFT: the one that ENGRAM_BENCH_PYTHON names, else an environment of our own. */
export async function ensurePython(device) {
  const own = process.env.ENGRAM_BENCH_PYTHON
  if (own) return own
  const folder = join(cacheDir(), 'bench', `python-${device}-${shortHash(readFileSync(REQUIREMENTS))}`)
  const python = join(folder, 'bin/python')
  if (existsSync(join(folder, 'complete'))) return python
  await withLock('bench-python', async () => {
    if (!existsSync(join(folder, 'complete'))) await makeEnvironment(folder, device)
  })
  return python
}

/** A virtual environment knows its own path, so it is made in place and marked when it is whole. */
async function makeEnvironment(folder, device) {
  const base = ['python3', 'python'].find(hasProgram)
  if (!base) throw new SetupError('the benchmark needs Python 3.10 or newer for PyTorch, and there is no python3 here')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  say('making a Python environment for PyTorch (once, about 1 GB)')
  await run(base, ['-m', 'venv', folder]).catch(async () => {
    await installPackages(['python3-venv'], 'the Python environment needs venv')
    await run(base, ['-m', 'venv', folder])
  })
  const pip = (label, args) =>
    patiently(label, () => run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--disable-pip-version-check', '-q', ...args]))
  await installTorch(pip, device)
  const others = requirements().filter((line) => !ALONE.includes(nameOf(line)))
  await pip('pip is installing transformers and PEFT', others)
  await pip('pip is installing timm', ['--no-deps', ...requirements().filter((line) => ALONE.includes(nameOf(line)))])
  writeFileSync(join(folder, 'complete'), '')
}

/** PyPI's torch for Linux is the CUDA build; the CPU build is on PyTorch's own index, or where pip is told to look. */
async function installTorch(pip, device) {
  const torch = requirements().find((line) => nameOf(line) === 'torch')
  const label = `pip is installing ${torch}`
  if (device === 'gpu') return pip(label, [torch])
  const cpu = [`${torch}+cpu`, '--no-deps', '--retries', '1', '--timeout', '30']
  await pip(label, [...cpu, '--extra-index-url', CPU_WHEELS]).catch((error) => {
    say(`no CPU build of ${torch} (${error.message.split('\n').pop()}); taking the one that pip finds`)
    return pip(label, [torch])
  })
}

const requirements = () => readFileSync(REQUIREMENTS, 'utf8').split('\n').filter((line) => /^\w/.test(line))
const nameOf = (line) => line.split('==')[0]
