// Makes resources/samples/backbones/fashion-vit: a small ViT that Engram itself trains from random weights on the whole of
// Fashion-MNIST (Debian package dataset-fashion-mnist, or any folder with its idx files):
//   node scripts/samples/fashionVit.mjs [FOLDER]
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const data = process.argv[2] ?? '/usr/share/datasets/fashion-mnist'
const target = join(root, 'resources/samples/backbones/fashion-vit')
const SEED = 0
const size = { image: 28, patch: 4, width: 96, depth: 6, heads: 3, mlp: 384, classes: 10 }
const train = { epochs: 6, batchSize: 128, learningRate: 1e-3, warmupEpochs: 1, weightDecay: 0.05, labelSmoothing: 0.1, dropPath: 0.05, augment: 'flip' }

/** Normal numbers from a seed (mulberry32, Box-Muller). */
function normals(seed) {
  let a = seed
  const uniform = () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** timm's names and initial values: weights N(0, 0.02), biases 0, norms 1. */
function tensors() {
  const { image, patch, width: d, depth, mlp, classes } = size
  const list = [['cls_token', [1, 1, d]], ['pos_embed', [1, (image / patch) ** 2 + 1, d]], ['patch_embed.proj.weight', [d, 3, patch, patch]], ['patch_embed.proj.bias', [d]]]
  const both = (name, out, inn) => list.push([`${name}.weight`, inn ? [out, inn] : [out]], [`${name}.bias`, [out]])
  for (let i = 0; i < depth; i++) {
    const at = name => `blocks.${i}.${name}`
    both(at('norm1'), d)
    both(at('attn.qkv'), 3 * d, d)
    both(at('attn.proj'), d, d)
    both(at('norm2'), d)
    both(at('mlp.fc1'), mlp, d)
    both(at('mlp.fc2'), d, mlp)
  }
  both('norm', d)
  both('head', classes, d)
  return list
}

function safetensors() {
  const normal = normals(SEED), header = {}, parts = []
  let at = 0
  for (const [name, shape] of tensors()) {
    const count = shape.reduce((a, b) => a * b, 1), constant = name.endsWith('bias') ? 0 : shape.length === 1 ? 1 : null
    const values = Float32Array.from({ length: count }, () => constant ?? 0.02 * normal())
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at += 4 * count] }
    parts.push(Buffer.from(values.buffer))
  }
  let json = JSON.stringify(header)
  json += ' '.repeat((8 - (json.length % 8)) % 8)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, Buffer.from(json), ...parts])
}

function writeRandomModel(folder) {
  mkdirSync(folder, { recursive: true })
  const config = {
    architecture: 'vit_tiny_patch16_224', num_classes: size.classes, num_features: size.width, global_pool: 'token',
    model_args: { img_size: size.image, patch_size: size.patch, embed_dim: size.width, depth: size.depth, num_heads: size.heads },
    pretrained_cfg: { input_size: [3, size.image, size.image], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], interpolation: 'bicubic', crop_pct: 1, num_classes: size.classes },
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2))
  writeFileSync(join(folder, 'model.safetensors'), safetensors())
}

const engram = [join(root, 'bin/engram.mjs')]
const work = mkdtempSync(join(tmpdir(), 'engram-fashion-vit-'))
try {
  writeRandomModel(join(work, 'random'))
  const recipe = {
    name: 'fashion-vit', seed: SEED, backbone: { from: join(work, 'random') }, data: { from: data, split: { validation: 0.05 } },
    method: { type: 'full' }, train, evaluate: { every: 'epoch', batchSize: 250 }, checkpoints: { everySteps: 500, keep: 1 },
  }
  writeFileSync(join(work, 'recipe.json'), JSON.stringify(recipe))
  const trained = spawnSync(process.execPath, [...engram, 'train', join(work, 'recipe.json'), '--workspace', join(work, 'workspace'), '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 30 })
  const last = JSON.parse(trained.stdout.trim().split('\n').at(-1))
  if (last.event !== 'finished') throw new Error(`the training ended as ${last.event}: ${last.error?.message ?? ''}`)
  rmSync(target, { recursive: true, force: true })
  execFileSync(process.execPath, [...engram, 'export', '--run', last.run, '--as', 'merged', '--out', target, '--workspace', join(work, 'workspace')], { stdio: 'inherit' })
  rmSync(join(target, 'verification.json'))
  const provenance = {
    title: 'ViT, Fashion-MNIST', summary: `${size.width} wide, ${size.depth} blocks, patches of ${size.patch} px, pretrained by Engram on Fashion-MNIST`,
    licence: 'Apache-2.0', command: 'node scripts/samples/fashionVit.mjs', seed: SEED, size, train,
    data: 'Fashion-MNIST (MIT): 60,000 training images of which 5 % chose the checkpoint, 10,000 test images',
    testAccuracy: last.metrics['test/accuracy'], seconds: Math.round(last.seconds),
    sha256: createHash('sha256').update(readFileSync(join(target, 'model.safetensors'))).digest('hex'),
  }
  writeFileSync(join(target, 'provenance.json'), `${JSON.stringify(provenance, null, 2)}\n`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
