import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { run } from '../../scripts/command.mjs'
import { say } from '../../scripts/log.mjs'
import { cacheDir, root, shortHash } from '../../scripts/paths.mjs'
import { stagingFor } from '../../scripts/staging.mjs'
import { runEngram } from './engram.mjs'
import { TRAIN_IMAGES, backbones, methods } from './grid.mjs'
import { recipeFor } from './recipe.mjs'

const PREPARE = resolve(import.meta.dirname, '../torch/prepare.py')
const RANDOM = join(root, 'src/main/engine/data/random.ts')

/** Where the weights, images and starting values lie that both sides load; what is missing is made. */
export async function ensureMaterial(python, rows, chosenMethods) {
  const folder = join(cacheDir(), 'bench', `material-${shortHash(readFileSync(PREPARE), readFileSync(RANDOM), JSON.stringify([backbones, methods]))}`)
  const material = {
    order: await orderOfImages(),
    images: join(folder, 'images'),
    backbone: (row) => join(folder, row),
    start: (row, method) => join(folder, `${row}-${method === 'lora' ? 'lora' : 'head'}.safetensors`),
  }
  await made(material.images, 'the images', (to) => run(python, [PREPARE, 'images', to]))
  for (const row of rows) {
    const { title, timm } = backbones[row]
    await made(material.backbone(row), `random weights for ${title}`, (to) => run(python, [PREPARE, 'backbone', timm, to]))
    for (const method of new Set(chosenMethods.map((id) => (id === 'lora' ? 'lora' : 'linear-probe')))) {
      await made(material.start(row, method), `${title}: starting values`, (to) => writeStart(row, method, material, to))
    }
  }
  return material
}

async function made(target, label, make) {
  if (existsSync(target)) return
  say(`making ${label}`)
  mkdirSync(dirname(target), { recursive: true })
  const staging = stagingFor(target)
  try {
    await make(staging)
    renameSync(staging, target)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/**
 * What Engram starts from: the head, which every method has fresh, and LoRA's factors. They are in the checkpoint behind
 * a first step of learning rate 0. SSF starts as the identity, and everything else from the weights that both sides have.
 */
async function writeStart(row, method, material, target) {
  const workspace = mkdtempSync(`${target}-`)
  const recipe = recipeFor({ row, method }, { step: 'eager', precision: 'float32' }, material)
  recipe.train = { ...recipe.train, warmupEpochs: 1, warmupLearningRate: 0 }
  recipe.checkpoints = { everySteps: 1 }
  try {
    const { events } = await runEngram(recipe, workspace, (events) => events.some(({ event }) => event === 'checkpoint'))
    renameSync(join(events.find(({ event }) => event === 'checkpoint').path, 'trained.safetensors'), target)
  } finally {
    rmSync(workspace, { recursive: true, force: true })
  }
}

/** The order in which Engram's first epoch takes the images, from its own random numbers. */
async function orderOfImages() {
  const { default: ts } = await import('typescript')
  const { outputText } = ts.transpileModule(readFileSync(RANDOM, 'utf8'), { compilerOptions: { target: 'es2022', module: 'esnext' } })
  const { createRandom } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`)
  return [...createRandom(0, 'order', 0).permutation(TRAIN_IMAGES)]
}
