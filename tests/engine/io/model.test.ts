import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AppError } from '../../../src/main/contract/errors'
import { bytesSource, memoryFiles, type Files } from '../../../src/main/engine/io/bytes'
import { timmFacts } from '../../../src/main/engine/io/configs'
import { inspectModel, openModel } from '../../../src/main/engine/io/model'
import { encodeSafetensors, type TensorToWrite } from '../../../src/main/engine/io/safetensors'
import { count } from '../../../src/main/engine/sites'
import { backbones, caseOf, fixtureFiles, fixturePath, fixtureTensors } from './fixtures'

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const failure = async (run: Promise<unknown>): Promise<AppError> => {
  const thrown = await run.then(() => null, (error: unknown) => error)
  expect(thrown).toBeInstanceOf(AppError)
  return thrown as AppError
}

describe('openModel on reference checkpoints', () => {
  it.each(backbones)('%s: the shape is what the library says', async name => {
    const { shape, format } = await openModel(await fixtureFiles(name, 'model'))
    const e = (caseOf(name).expected ?? {}) as Record<string, never>
    const expected: Record<string, unknown> = {
      heads: e.heads, width: e.width, depth: e.depth, mlp: e.mlpHidden, epsilon: e.eps, qkvBias: e.qkvBias, preNorm: e.preNorm, classes: e.classes,
      imageSize: Array.isArray(e.image) ? e.image[0] : e.image, patch: Array.isArray(e.patch) ? e.patch[0] : e.patch, layerScale: e.layerScale,
    }
    for (const [field, value] of Object.entries(expected)) if (value !== undefined) expect([field, shape[field as never]]).toEqual([field, value])
    if (e.pool) expect(shape.pool).toBe({ token: 'cls', avg: 'mean', 'token+mean': 'cls+mean' }[e.pool as string])
    if (e.prefixTokens !== undefined) expect(Number(shape.classToken) + Number(shape.distillationToken) + shape.registers).toBe(e.prefixTokens)
    if (e.finalNorm) expect([shape.finalNorm, shape.poolNorm]).toEqual([e.finalNorm === 'norm', e.finalNorm === 'fc_norm'])
    if (name.includes('quickgelu')) expect(shape.activation).toBe('quick-gelu')
    expect(format).toBe(name.startsWith('hf') ? 'transformers' : 'timm')
    expect(shape.positionInterpolation).toBe(name.startsWith('hf-dinov2') ? 'dinov2' : name.startsWith('hf') ? 'vit' : 'timm')
  })

  it.each(backbones)('%s: every canonical tensor is the stored one', async name => {
    const model = await openModel(await fixtureFiles(name, 'model'))
    const parts = new Map<string, Float32Array[]>()
    for (const site of model.sites) for (const [tensor, shape] of Object.entries(site.tensors)) {
      const values = await model.read(`${site.name}.${tensor}`)
      expect(values.length).toBe(count(shape))
      const key = model.keys.places.get(`${site.name}.${tensor}`)!.key
      parts.set(key, [...(parts.get(key) ?? []), values])
    }
    for (const [key, stored] of model.stored) {
      if (model.unused.includes(key)) continue
      expect([key, parts.get(key)!.flatMap(part => [...part])]).toEqual([key, [...await stored.read()]])
    }
    expect(model.unused.filter(key => !/mask_token|pooler/.test(key))).toEqual([])
  })

  it('reads the same numbers from shards and from .npz', async () => {
    const plain = await openModel(await fixtureFiles('timm-vit-cls', 'model'))
    const sharded = await openModel(await fixtureFiles('storage-sharded', 'model'))
    const npz = await openModel(await fixtureFiles('storage-npz', 'weights.npz'))
    expect(npz.format).toBe('augreg-npz')
    expect(npz.mean).toEqual([0.5, 0.5, 0.5])
    expect(npz.shape).toEqual(plain.shape)
    for (const name of plain.keys.places.keys()) {
      const values = await plain.read(name)
      expect(await sharded.read(name)).toEqual(values)
      expect(await npz.read(name)).toEqual(values)
    }
  })

  it('widens half formats exactly and says what they were', async () => {
    for (const [name, dtype] of [['storage-f16', 'F16'], ['storage-bf16', 'BF16']] as const) {
      const model = await openModel(await fixtureFiles(name, 'model'))
      expect(model.dtype).toBe(dtype)
      const plain = await openModel(await fixtureFiles('timm-vit-cls', 'model'))
      const a = await model.read('blocks.0.fc1.weight'), b = await plain.read('blocks.0.fc1.weight')
      a.forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThan(2 ** (dtype === 'F16' ? -11 : -8) * Math.max(Math.abs(b[i]!), 2 ** -14)))
    }
  })

  it('cannot tell the heads of a bare file with a width of 32, and says so; a hint helps', async () => {
    const error = await failure(openModel(await fixtureFiles('storage-bare', 'weights.safetensors')))
    expect(error.code).toBe('model-unreadable')
    expect(error.message).toContain('attention heads')
    const model = await openModel(await fixtureFiles('storage-bare', 'weights.safetensors'), { heads: 4 })
    const whole = await openModel(await fixtureFiles('storage-f16', 'model'))
    expect(model.shape).toEqual(whole.shape)
    expect(model.notices[0]).toContain('epsilon')
  })

  it('inspects without reading tensors', async () => {
    const files = await fixtureFiles('hf-dinov2-model', 'model')
    let bytes = 0
    const watched = { ...files, open: (name: string) => {
      const source = files.open(name)
      return { ...source, read: (offset: number, length: number) => { bytes += length; return source.read(offset, length) } }
    } }
    const report = await inspectModel(watched, '/somewhere')
    expect(report.parameters).toBe(24456)
    expect(report.unused).toEqual(['embeddings.mask_token'])
    expect(report.mean).toEqual([0.485, 0.456, 0.406])
    expect(bytes).toBeLessThan(8000)
  })
})

describe('a config that does not belong to its weights is refused', () => {
  const changed = async (name: string, change: object): Promise<Files> => {
    const files = await fixtureFiles(name, 'model'), source = files.open('config.json')
    const config = JSON.parse(new TextDecoder().decode(await source.read(0, source.size))) as { model_args?: object }
    const whole = json('architecture' in config ? { ...config, model_args: { ...config.model_args, ...change } } : { ...config, ...change })
    return { ...files, open: file => file === 'config.json' ? bytesSource(file, whole) : files.open(file) }
  }
  it.each([
    ['hf-vit', { hidden_size: 64 }], ['hf-vit', { num_hidden_layers: 1 }], ['hf-vit', { intermediate_size: 65 }], ['hf-vit', { patch_size: 4 }], ['hf-vit', { qkv_bias: false }],
    ['hf-vit-noqkvbias', { qkv_bias: true }], ['hf-dinov2', { num_hidden_layers: 12 }],
    ['timm-vit-cls', { embed_dim: 64 }], ['timm-vit-cls', { depth: 12 }], ['timm-vit-cls', { patch_size: 4 }], ['timm-vit-cls', { class_token: false }],
  ])('%s with %j', async (name, change) => {
    const { code, message } = await failure(openModel(await changed(name, change)))
    expect(code).toBe('model-unreadable')
    expect(message).toMatch(new RegExp(`^config.json: ${Object.keys(change)[0]} is .*, but the weights have`))
  })
  it('a deviation of zero, which no pixel can be divided by', async () => {
    const files = await fixtureFiles('hf-vit', 'model'), preprocessor = json({ image_mean: [0, 0, 0], image_std: [0, 1, 1] })
    const name = 'preprocessor_config.json'
    const { message } = await failure(openModel({ ...files, names: [...files.names, name], open: file => file === name ? bytesSource(file, preprocessor) : files.open(file) }))
    expect(message).toMatch(/image_std/)
  })
})

describe('what only the name of a timm architecture tells', () => {
  const tensors = (width: number) => ({ width, depth: 12, patch: 16, classToken: true, gatedMlp: false, registers: 0 })
  it.each([
    ['vit_base_patch16_224', 768, 12, 1e-6, 'gelu'], ['vit_tiny_patch16_224.augreg_in21k', 192, 3, 1e-6, 'gelu'], ['vit_huge_patch14_224', 1280, 16, 1e-6, 'gelu'],
    ['vit_giant_patch14_dinov2', 1536, 24, 1e-6, 'gelu'], ['vit_base_patch16_plus_240', 896, 14, 1e-6, 'gelu'], ['vit_giant_patch14_clip_224', 1408, 16, 1e-5, 'gelu'], ['vit_giantopt_patch16_siglip_gap_256', 1536, 16, 1e-6, 'gelu-tanh'],
    ['vit_base_patch16_gap_224', 768, 16, 1e-6, 'gelu'], ['vit_so400m_patch14_siglip_gap_224', 1152, 16, 1e-6, 'gelu'], ['vit_large_patch14_clip_quickgelu_336', 1024, 16, 1e-5, 'quick-gelu'],
    ['deit3_huge_patch14_224', 1280, 16, 1e-6, 'gelu'], ['flexivit_small', 384, 6, 1e-6, 'gelu'],
  ] as const)('%s', (architecture, width, heads, epsilon, activation) => expect(timmFacts({ architecture }, tensors(width))).toMatchObject({ heads, epsilon, activation }))

  it('is the number of heads, at any width', () => expect(timmFacts({ architecture: 'vit_tiny_patch16_224' }, tensors(384)).heads).toBe(3))
  it.each(['vit_base_patch16_rpn_224', 'vit_base_patch16_siglip_224', 'vit_small_patch16_18x2_224', 'vit_large_patch14_xp_224', 'vit_base_patch16_radio_v3', 'swin_base_patch4_window7_224', 'vit_base_resnet50_384'])('%s is refused', architecture =>
    expect(() => timmFacts({ architecture }, tensors(768))).toThrow('is not supported'))
  it.each([
    [{ norm_layer: 'rmsnorm' }, 'norm_layer'], [{ norm_layer: 'GroupNorm1' }, 'norm_layer'], [{ global_pool: 'avg', pool_include_prefix: true }, 'pool_include_prefix'],
    [{ dynamic_img_pad: true }, 'dynamic_img_pad'], [{ global_pool: '' }, 'global_pool'], [{ act_layer: 'constructor' }, 'activation'], [{ act_layer: 'mish' }, 'activation'],
  ])('%j changes what is computed and is refused', (model_args, what) =>
    expect(() => timmFacts({ architecture: 'vit_base_patch16_224', model_args }, tensors(768))).toThrow(what))
  it('register tokens with positions are refused, also where their number makes a square', () => {
    const facts = (architecture: string, model_args = {}) => timmFacts({ architecture, model_args }, { ...tensors(384), registers: 8 })
    expect(() => facts('vit_small_patch16_224')).toThrow('no_embed_class')
    expect(facts('vit_small_patch16_224', { no_embed_class: true }).heads).toBe(6)
    expect(facts('vit_small_patch14_reg4_dinov2').heads).toBe(6)
  })
})

describe('openModel refuses in a clear sentence', () => {
  const weights = (rename: (name: string) => string | null = name => name) => async () => {
    const tensors: TensorToWrite[] = []
    for (const [name, tensor] of await fixtureTensors('timm-vit-cls', 'model', 'model.safetensors')) {
      const to = rename(name)
      if (to) tensors.push({ name: to, dtype: 'F32', shape: tensor.shape, data: await tensor.read() })
    }
    return encodeSafetensors(tensors)
  }
  const config = { architecture: 'vit_tiny_patch16_224', model_args: { num_heads: 4 } }
  const folder = async (make: () => Promise<Uint8Array>, value: unknown) =>
    openModel(memoryFiles('m', new Map([['config.json', json(value)], ['model.safetensors', await make()]])))

  it('unknown architectures and model types', async () => {
    const resnet = await failure(folder(weights(), { architecture: 'resnet50' }))
    expect([resnet.code, resnet.message]).toEqual(['model-unsupported', 'The architecture "resnet50" is not supported.'])
    expect(resnet.hint).toContain('vit_')
    expect((await failure(folder(weights(), { model_type: 'swin' }))).message).toContain('"swin"')
    expect((await failure(folder(weights(), { hello: 1 }))).message).toContain('neither "architecture"')
  })
  it('missing tensors, by name', async () => {
    const error = await failure(folder(weights(name => name === 'blocks.1.mlp.fc1.bias' ? null : name), config))
    expect([error.code, error.message]).toEqual(['model-unreadable', 'model.safetensors: misses the tensor blocks.1.mlp.fc1.bias.'])
  })
  it('tensors of a variant that would be computed wrongly', async () => {
    const error = await failure(folder(weights(name => name === 'norm.bias' ? 'blocks.0.attn.q_norm.weight' : name), config))
    expect(error.message).toContain('norm.bias')
    const odd = await failure(folder(weights(), { ...config, model_args: { ...config.model_args, img_size: [40, 24] } }))
    expect([odd.code, /square/.test(odd.message)]).toEqual(['model-unsupported', true])
  })
  it('positions of the class token alone, or of the patches alone where transformers has both', async () => {
    for (const rows of [1, 16]) {
      const tensors: TensorToWrite[] = []
      for (const [name, tensor] of await fixtureTensors('hf-vit', 'model', 'model.safetensors')) {
        const data = await tensor.read(), width = tensor.shape[2]!
        tensors.push(/position_embeddings/.test(name) ? { name, dtype: 'F32', shape: [1, rows, width], data: data.slice(0, rows * width) } : { name, dtype: 'F32', shape: tensor.shape, data })
      }
      const files = await fixtureFiles('hf-vit', 'model'), weights = await encodeSafetensors(tensors)
      const cut = openModel({ ...files, open: name => name === 'model.safetensors' ? bytesSource(name, weights) : files.open(name) })
      expect((await failure(cut)).message).toContain('not a square grid')
    }
  })
  it('numbers that are not finite, when they are read', async () => {
    const tensors: TensorToWrite[] = []
    for (const [name, tensor] of await fixtureTensors('timm-vit-cls', 'model', 'model.safetensors')) {
      const data = await tensor.read()
      if (name === 'blocks.1.attn.qkv.weight') data[40] = Number.NaN
      tensors.push({ name, dtype: 'F32', shape: tensor.shape, data })
    }
    const model = await folder(() => encodeSafetensors(tensors), config)
    expect((await failure(model.read('blocks.1.q.weight'))).message).toContain('"blocks.1.attn.qkv.weight" holds numbers that are infinite or not a number')
    expect((await model.read('blocks.1.k.weight')).length).toBe(32 * 32)
  })
  it('but not a wrapper\'s name before every tensor', async () => {
    expect((await folder(weights(name => `module.${name}`), config)).keys.places.get('norm.bias')?.key).toBe('norm.bias')
    expect((await failure(folder(weights(name => name === 'norm.bias' ? name : `module.${name}`), config))).message).toContain('misses the tensor')
    const files = await fixtureFiles('hf-vit', 'model')
    const stored = await Promise.all([...await fixtureTensors('hf-vit', 'model', 'model.safetensors')].map(async ([name, { shape, read }]): Promise<TensorToWrite> => ({ name: `model.${name}`, dtype: 'F32', shape, data: await read() })))
    const wrapped = new Map([['config.json', await files.open('config.json').read(0, 1e6)], ['model.safetensors', await encodeSafetensors(stored)]])
    expect((await openModel(memoryFiles('m', wrapped))).shape).toEqual((await openModel(files)).shape)
  })
  it('heads that do not divide the width, non-JSON, empty folders, pickles', async () => {
    expect((await failure(folder(weights(), { ...config, model_args: { num_heads: 5 } }))).message).toContain('do not divide')
    const broken = memoryFiles('m', new Map([['config.json', new TextEncoder().encode('{oops')], ['model.safetensors', await weights()()]]))
    expect((await failure(openModel(broken))).message).toContain('config.json')
    expect((await failure(openModel(memoryFiles('m', new Map())))).message).toContain('no model.safetensors')
    expect((await failure(openModel(memoryFiles('m', new Map([['pytorch_model.bin', new Uint8Array(3)]]))))).hint).toContain('safetensors')
  })
  it('links to nowhere and in a circle, and folders in place of files', async () => {
    const { diskFiles } = await import('../../../src/main/store/files')
    for (const [target, what] of [['/nowhere', 'it is not there'], ['config.json', 'its links lead in a circle'], ['/tmp', 'is a folder']] as const) {
      const at = mkdtempSync(join(tmpdir(), 'engram-links-'))
      onTestFinished(() => rmSync(at, { recursive: true }))
      copyFileSync(fixturePath('timm-vit-cls', 'model', 'model.safetensors'), join(at, 'model.safetensors'))
      symlinkSync(target, join(at, 'config.json'))
      expect((await failure(diskFiles(at).then(openModel))).message).toContain(what)
    }
  })
  it('a single file knows its siblings', async () => {
    const { diskFiles } = await import('../../../src/main/store/files')
    expect((await openModel(await diskFiles(fixturePath('hf-vit', 'model', 'model.safetensors')))).format).toBe('transformers')
  })
})
