import '../../support/tensorflow'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/main/contract/errors'
import type { VitShape } from '../../../src/main/contract/model'
import { withClasses } from '../../../src/main/engine/backbones/index'
import { sites as vitSites } from '../../../src/main/engine/backbones/vit'
import { createRandom } from '../../../src/main/engine/data/random'
import { readAdapter, writeAdapter } from '../../../src/main/engine/io/adapter'
import { collected, decodeUtf8, memoryFiles, type Files } from '../../../src/main/engine/io/bytes'
import { openModel } from '../../../src/main/engine/io/model'
import { encodeSafetensors, openSafetensors, type TensorToWrite } from '../../../src/main/engine/io/safetensors'
import { initialBuffers, initialValues, loadModel, run, viewsOf } from '../../../src/main/engine/model'
import { createNet, evaluation } from '../../../src/main/engine/net'
import { parseMethod } from '../../../src/main/engine/recipe'
import { count } from '../../../src/main/engine/sites'
import { tf } from '../../../src/main/engine/tf'
import { createTuning } from '../../../src/main/engine/tuning'
import { adaptedOutputs } from '../../support/adapted'
import { relative, shaken } from '../../support/rig'
import { caseOf, casesWith, fixtureFiles, fixturePath } from './fixtures'
import { checkExport, python } from './python'

const open = async (name: string) => openModel(await fixtureFiles(name, 'model'))
const textOf = async (files: Files, name: string) => decodeUtf8(await files.open(name).read(0, files.open(name).size))
const keysOf = async (files: Files) => [...(await openSafetensors(files.open('adapter_model.safetensors'))).keys()].sort()

/** A tuned run on a fixture: its live logits and what writeAdapter needs of it. */
async function tuned(name: string, choice: Record<string, unknown>, change: Partial<VitShape> = {}, classes = 10) {
  const opened = await open(name), shape = withClasses({ ...opened.shape, ...change }, classes)
  const { method, config, san, sites } = parseMethod({ san: null, ...choice } as never)
  const tuning = createTuning(vitSites(shape), method, config, san, sites)
  const model = await loadModel(shape, opened.read, new Set(['head.weight', 'head.bias']))
  const flat = shaken(await initialValues(tuning, 5, opened.read), 0.1)
  const values = new Map<string, Float32Array>()
  let at = 0
  for (const slot of tuning.slots) values.set(slot.name, flat.slice(at, at += count(slot.shape)))
  const random = createRandom(1, 'pixels'), side = shape.imageSize
  const pixels = tf.tensor4d(Float32Array.from({ length: 2 * side * side * 3 }, () => random.normal()), [2, side, side, 3])
  const pass = () => evaluation(shape.heads, viewsOf(tf.tensor1d(flat), tuning.slots), initialBuffers(tuning))
  const logits = tf.tidy(() => run(model, tuning, pass(), pixels).output.dataSync() as Float32Array)
  const scales = new Map<string, { columns: Float32Array | null; rows: Float32Array | null }>()
  if (tuning.san) tf.tidy(() => {
    const net = createNet(model.frozen, tuning, model.sites, pass())
    for (const { to } of tuning.san!.propagations) {
      const { columns, rows } = net.propagator!.into(to)
      scales.set(to, { columns: columns && columns.dataSync() as Float32Array, rows: rows && rows.dataSync() as Float32Array })
    }
  })
  model.dispose()
  const source = { shape, method, config, values, base: fixturePath(name, 'model'), ...(tuning.san ? { san: { config: san, scales } } : {}), classes: Array.from({ length: classes }, (_, i) => `c${i}`) }
  return { opened, pixels, logits, source, side, classes }
}

async function compare({ opened, pixels, logits, source, side, classes }: Awaited<ReturnType<typeof tuned>>, format: string): Promise<void> {
  const written = await writeAdapter(opened, source)
  expect(written.format).toBe(format)
  const adapter = await readAdapter(await collected('adapter', written.files), opened)
  expect(adapter.method.id).toBe(source.method.id)
  expect(adapter.unused).toEqual([])
  expect(adapter.classes).toEqual(source.classes)
  expect(relative(await adaptedOutputs(opened, adapter, pixels), logits)).toBeLessThan(1e-4)
  if (!python || format.startsWith('ENGRAM')) return
  const io = [
    { name: 'pixel_values', dtype: 'F32' as const, shape: [2, 3, side, side], data: tf.tidy(() => pixels.transpose([0, 3, 1, 2]).dataSync() as Float32Array) },
    { name: 'logits', dtype: 'F32' as const, shape: [2, classes], data: logits },
  ]
  expect(await checkExport(written.files, io, source.base)).toBe('same')
}

describe('adapters of PEFT', () => {
  it.each(casesWith('adapter'))('%s: written again it has PEFT\'s keys and, imported again, the same values', async name => {
    if (name === 'peft-hf-lora-oldnames' || name === 'peft-timm-lora-conv' || name === 'peft-hf-lora-bias') return
    const base = String(caseOf(name).base).replace('../', ''), opened = await open(base), files = await fixtureFiles(name, 'adapter')
    const first = await readAdapter(files, opened)
    const head = [...first.replaced.keys()].some(key => key.startsWith('head'))
    const shape = head ? first.shape : { ...first.shape, classes: 0 }
    const written = await writeAdapter(opened, { shape, method: first.method, config: first.config, values: new Map([...first.values, ...first.replaced]), base })
    const again = await collected('again', written.files)
    const theirs = JSON.parse(await textOf(files, 'adapter_config.json')), ours = JSON.parse(await textOf(again, 'adapter_config.json'))
    const plain = opened.naming.format === 'transformers' && !head ? (key: string) => key.replace('.vit.', '.') : (key: string) => key
    expect((await keysOf(again)).map(plain)).toEqual((await keysOf(files)).map(plain))
    for (const field of ['peft_type', 'lora_alpha', 'r', 'use_dora', 'use_rslora', 'bias']) if (name !== 'peft-hf-lora-patterns') expect([field, ours[field]]).toEqual([field, theirs[field]])
    for (const field of ['target_modules', 'feedforward_modules']) expect([field, ours[field]]).toEqual([field, theirs[field]])
    expect(Object.keys(ours).filter(field => !(field in theirs))).toEqual([])
    const second = await readAdapter(again, opened)
    expect(second.config).toEqual(first.config)
    expect(second.values).toEqual(first.values)
  })

  it('reads ranks and scales by pattern as one rank and one scale', async () => {
    const opened = await open('hf-vit'), read = await readAdapter(await fixtureFiles('peft-hf-lora-patterns', 'adapter'), opened)
    expect(read.config).toMatchObject({ rank: 6, roles: ['q', 'v', 'up', 'down'] })
    for (const values of read.values.values()) expect(values.length % 6).toBe(0)
  })
})

describe('a run\'s adapter gives the live logits again', () => {
  const peft = [
    ['lora', 'PEFT LORA', {}], ['lora', 'PEFT LORA', { rank: 3, alpha: 5, rsLora: true, roles: ['q', 'v'] }], ['lora', 'PEFT LORA', { roles: ['up'], sites: ['blocks.1.*'] }],
    ['dora', 'PEFT LORA', {}], ['dora', 'PEFT LORA', { roles: ['k', 'o'], rank: 2 }], ['ia3', 'PEFT IA3', {}], ['ia3', 'PEFT IA3', { roles: ['q', 'up'], inputs: [] }], ['layernorm', 'PEFT LN_TUNING', {}],
  ] as const
  for (const base of ['timm-vit-cls', 'hf-vit', 'hf-dinov2', 'timm-deit-distilled', 'hf-dinov2-swiglu', 'hf-deit']) {
    it.each(peft)(`${base}: %s as %s %o`, async (type, format, more) => compare(await tuned(base, { type, ...more }), format))
  }
  it.each(['ssf', 'bitfit', 'full', 'linear-probe'])('%s in Engram\'s layout', async type => {
    await compare(await tuned('timm-vit-cls', { type }, {}, 7), `ENGRAM/${type}`)
    await compare(await tuned('hf-dinov2-model', { type }, { pool: 'mean', imageSize: 70 }, 7), `ENGRAM/${type}`)
  })
  it.each(['ssf', 'lora', 'dora', 'ia3', 'layernorm', 'bitfit'].flatMap(type => ['paper-locational', 'paper-functional'].map(preset => [type, preset] as const)))('%s with SAN %s keeps its scales', async (type, preset) =>
    compare(await tuned('timm-vit-cls', { type, san: { preset } }), `ENGRAM/${type}`))
  it('with SAN of the 2024 code', async () =>
    compare(await tuned('timm-vit-cls', { type: 'ssf', shift: false, norms: 'tune', san: { preset: 'official-2024-resize' } }), 'ENGRAM/ssf'))
  it('takes Engram\'s layout where PEFT has no equal, and says so', async () => {
    const { opened, source } = await tuned('timm-vit-cls', { type: 'ia3', roles: ['v'], inputs: ['q'] })
    const written = await writeAdapter(opened, source)
    expect([written.format, written.notices.length]).toEqual(['ENGRAM/ia3', 1])
    await compare(await tuned('hf-vit', { type: 'lora' }, { pool: 'mean' }), 'ENGRAM/lora')
  })
  it('an adapter in Engram\'s layout fits the same backbone in another library\'s format', async () => {
    const { opened, source, pixels, logits } = await tuned('timm-vit-cls', { type: 'ssf' })
    const files = await collected('a', (await writeAdapter(opened, source)).files)
    const npz = await openModel(await fixtureFiles('storage-npz', 'weights.npz'))
    expect(relative(await adaptedOutputs(npz, await readAdapter(files, npz), pixels), logits)).toBeLessThan(1e-4)
  })
})

describe('readAdapter refuses in a clear sentence', () => {
  async function broken(change: { config?: (config: Record<string, unknown>) => void; tensors?: (tensors: TensorToWrite[]) => TensorToWrite[] }, base = 'hf-vit'): Promise<AppError> {
    const files = await fixtureFiles('peft-hf-lora', 'adapter'), config = JSON.parse(await textOf(files, 'adapter_config.json'))
    change.config?.(config)
    const stored = await openSafetensors(files.open('adapter_model.safetensors'))
    const tensors = await Promise.all([...stored.values()].map(async (t): Promise<TensorToWrite> => ({ name: t.name, dtype: 'F32', shape: t.shape, data: await t.read() })))
    const bytes = await encodeSafetensors(change.tensors?.(tensors) ?? tensors)
    const made = memoryFiles('a', new Map([['adapter_config.json', new TextEncoder().encode(JSON.stringify(config))], ['adapter_model.safetensors', bytes]]))
    const thrown = await readAdapter(made, await open(base)).then(() => null, (error: unknown) => error)
    expect(thrown).toBeInstanceOf(AppError)
    expect((thrown as AppError).code).toBe('adapter-invalid')
    return thrown as AppError
  }
  it.each([
    ['another type', { config: (c: Record<string, unknown>) => { c.peft_type = 'VERA' } }, 'VERA'],
    ['another rank', { config: (c: Record<string, unknown>) => { c.r = 8 } }, 'rank is 8'],
    ['changed base weights', { config: (c: Record<string, unknown>) => { c.init_lora_weights = 'pissa' } }, 'pissa'],
    ['unsupported options', { config: (c: Record<string, unknown>) => { c.lora_bias = true } }, 'lora_bias'],
    ['fields of a wrong kind', { config: (c: Record<string, unknown>) => { c.r = 'four' } }, 'adapter_config.json: r'],
    ['layers without tensors', { tensors: (t: TensorToWrite[]) => t.filter(one => !one.name.includes('layers.1.mlp.fc2')) }, 'no tensors for vit.layers.1.mlp.fc2'],
    ['half a layer', { tensors: (t: TensorToWrite[]) => t.slice(1) }, 'no lora_A for vit.layers.0.attention.k_proj'],
    ['a wrong shape', { tensors: (t: TensorToWrite[]) => t.map(one => one.name.includes('fc1.lora_B') ? { ...one, shape: [32, 8] } : one) }, 'fc1.lora_B.weight has the shape [32, 8]'],
    ['unknown tensors of a layer', { tensors: (t: TensorToWrite[]) => [...t, { ...t[0]!, name: t[0]!.name.replace('lora_A.weight', 'lora_E') }] }, 'has no place'],
    ['layers of another model', { tensors: (t: TensorToWrite[]) => t.map(one => ({ ...one, name: one.name.replace('vit.', 'bert.') })) }, 'does not have'],
  ])('%s', async (_, change, text) => expect((await broken(change)).message).toContain(text))
  it('an adapter in Engram\'s layout that lacks a tensor or a layer', async () => {
    const { opened, source } = await tuned('timm-vit-cls', { type: 'ssf' })
    const files = await collected('a', (await writeAdapter(opened, source)).files)
    const stored = await openSafetensors(files.open('adapter_model.safetensors'))
    const tensors = await Promise.all([...stored.values()].filter(t => !t.name.endsWith('blocks.0.fc1.ssf_shift')).map(async (t): Promise<TensorToWrite> => ({ name: t.name, dtype: 'F32', shape: t.shape, data: await t.read() })))
    const made = memoryFiles('a', new Map([['adapter_config.json', await files.open('adapter_config.json').read(0, 1e6)], ['adapter_model.safetensors', await encodeSafetensors(tensors)]]))
    await expect(readAdapter(made, opened)).rejects.toThrow('no ssf_shift for blocks.0.fc1')
    await expect(readAdapter(files, await open('timm-vit-avg'))).rejects.toMatchObject({ code: 'adapter-invalid' })
  })
  it('a backbone of another width', async () => expect((await broken({}, 'hf-dinov2')).code).toBe('adapter-invalid'))
  it('reports tensors that it did not need', async () => {
    const files = await fixtureFiles('peft-hf-lora', 'adapter')
    const stored = await openSafetensors(files.open('adapter_model.safetensors'))
    const tensors = await Promise.all([...stored.values()].map(async (t): Promise<TensorToWrite> => ({ name: t.name, dtype: 'F32', shape: t.shape, data: await t.read() })))
    const bytes = await encodeSafetensors([...tensors, { name: 'base_model.model.vit.pooler.dense.bias', dtype: 'F32', shape: [1], data: new Float32Array(1) }])
    const made = memoryFiles('a', new Map([['adapter_config.json', new TextEncoder().encode(await textOf(files, 'adapter_config.json'))], ['adapter_model.safetensors', bytes]]))
    expect((await readAdapter(made, await open('hf-vit'))).unused).toEqual(['base_model.model.vit.pooler.dense.bias'])
  })
})
