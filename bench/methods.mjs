// Trains one backbone on one dataset with every method, with and without SAN, and prints a table:
//   node bench/methods.mjs BACKBONE DATA WORKSPACE [IMAGE_SIZE] [SEEDS]
// Runs that have finished in WORKSPACE are not repeated, so it can be stopped and called again.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const [backbone, data, workspace, imageSize = '112', seeds = '1'] = process.argv.slice(2)
if (!workspace) {
  console.error('node bench/methods.mjs BACKBONE DATA WORKSPACE [IMAGE_SIZE] [SEEDS]')
  process.exit(2)
}
const engram = resolve(import.meta.dirname, '../bin/engram.mjs')
const place = ['--workspace', resolve(workspace)]

/** The methods of the table; the first two are the ones that get every seed. */
const methods = {
  'SSF': { type: 'ssf' }, 'SAN + SSF': { type: 'ssf', san: {} }, 'linear probe': { type: 'linear-probe' },
  'LoRA': { type: 'lora' }, 'SAN + LoRA': { type: 'lora', san: {} }, 'DoRA': { type: 'dora' }, 'SAN + DoRA': { type: 'dora', san: {} },
  'full fine-tuning': { type: 'full' },
}

const finished = () => new Map(JSON.parse(execFileSync(process.execPath, [engram, 'runs', 'list', '--json', ...place], { encoding: 'utf8' }))
  .filter(run => run.status === 'finished').map(run => [run.name, run]))

function train(name, method, seed) {
  const recipe = {
    name, seed, method, backbone: { from: resolve(backbone), imageSize: Number(imageSize) }, data: { from: resolve(data) },
    train: { epochs: 10, augment: 'flip' },
  }
  const file = join(resolve(workspace), 'recipe.json')
  mkdirSync(resolve(workspace), { recursive: true })
  writeFileSync(file, JSON.stringify(recipe))
  spawnSync(process.execPath, [engram, 'train', file, ...place], { stdio: ['ignore', 'inherit', 'inherit'] })
}

const wanted = Object.entries(methods).flatMap(([label, method], i) => Array.from({ length: i < 2 ? Number(seeds) : 1 }, (_, seed) => ({ name: `${label}, seed ${seed}`, method, seed })))
  .sort((a, b) => a.seed - b.seed)
for (const { name, method, seed } of wanted) if (!finished().has(name)) train(name, method, seed)

const done = finished()
console.table(wanted.filter(({ name }) => done.has(name)).map(({ name }) => {
  const run = done.get(name)
  return {
    run: name, trainable: run.trainable, 'validation %': (100 * run.best.value).toFixed(1), 'test %': (100 * run.metrics['test/accuracy']).toFixed(1),
    'images/s': run.imagesPerSecond.toFixed(1), 'peak GB': (run.peakMemory / 1e9).toFixed(2),
  }
}))
