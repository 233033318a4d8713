import { AppError } from '../../contract/errors'
import type { InspectReport, ModelFormat, VitShape } from '../../contract/model'
import { sites as vitSites } from '../backbones/vit'
import { count, edgeCards, siteCards, tensorName, totalParameters, type Site } from '../sites'
import type { Files } from './bytes'
import { allFinite } from './dtypes'
import { AnyConfig, HALF, HfConfig, hfFacts, hfModelOf, hfModels, IMAGENET, isDino, Preprocessor, readJson, timmArchitecture, timmFacts, TimmConfig } from './configs'
import { guessConfig } from './guess'
import { fromStored, keyMap, type KeyMap, type Naming } from './keymaps/vit'
import { openNpz } from './npz'
import { openSafetensors, openSharded, unreadable, type TensorStore } from './safetensors'
import { missing, readTensors, vitShape } from './vitShape'

/** A checkpoint whose layout is understood. Tensors are read one at a time, when asked for. */
export interface OpenedModel {
  /** of the folder or file */
  name: string
  format: ModelFormat
  architecture: string
  shape: VitShape
  sites: Site[]
  mean: number[]
  std: number[]
  dtype: string
  sizeBytes: number
  naming: Naming
  keys: KeyMap
  /** config.json as it was, or as it would be where there is none */
  config: Record<string, unknown>
  preprocessor: Record<string, unknown> | null
  /** names of the classes by number; null where the checkpoint has none */
  classes: string[] | null
  stored: TensorStore
  /** stored tensors that the architecture has no place for */
  unused: string[]
  /** what had to be assumed, a sentence each */
  notices: string[]
  /** one of Engram's tensors, such as blocks.0.q.weight */
  read(name: string): Promise<Float32Array<ArrayBuffer>>
}

/** What a person may have to say where a file alone does not. */
export interface Hints { heads?: number }

export async function openModel(files: Files, hints: Hints = {}): Promise<OpenedModel> {
  const found = weightsIn(files)
  const stored = withoutPrefix(found.endsWith('.npz') ? await openNpz(files.open(found))
    : found.endsWith('.json') ? await openSharded(files, found) : await openSafetensors(files.open(found)))
  const described = await describe(files, found, stored, hints)
  const { naming, shape } = described
  const sites = vitSites(shape), keys = keyMap(shape, naming)
  const unused = checkTensors(stored, keys, sites, found)
  const used = new Set([...keys.places.values()].map(place => place.key))
  const dtypes = new Set([...stored.values()].filter(t => used.has(t.name)).map(t => t.dtype))
  return {
    ...described, name: files.name, sites, keys, stored, unused,
    dtype: [...dtypes].sort().join(', '), sizeBytes: [...stored.values()].reduce((n, t) => n + t.bytes, 0),
    read: name => readTensor(stored, keys, name),
  }
}

/** Wrappers put their name before every tensor's: module., model., timm_model. */
function withoutPrefix(stored: TensorStore): TensorStore {
  const [prefix = ''] = /^(\w+\.)+?(?=(?:blocks|encoder|(?:vit|deit|dinov2\w*)\.encoder)\.)/.exec([...stored.keys()].find(key => /(^|\.)(blocks|encoder\.layer)\.0\./.test(key)) ?? '') ?? []
  const own = hfModels.some(model => prefix === `${model}.`)
  if (prefix === '' || own || [...stored.keys()].some(key => !key.startsWith(prefix))) return stored
  return new Map([...stored].map(([key, tensor]) => [key.slice(prefix.length), tensor]))
}

/** `engram inspect`: everything but the numbers. */
export async function inspectModel(files: Files, path: string, hints: Hints = {}): Promise<InspectReport> {
  const { name, format, architecture, shape, dtype, sizeBytes, mean, std, sites, unused } = await openModel(files, hints)
  return {
    path, name, format, architecture, shape, dtype, sizeBytes, mean, std, unused,
    parameters: totalParameters(sites), sites: siteCards(sites), edges: edgeCards(sites),
  }
}

const INDEX = 'model.safetensors.index.json'

function weightsIn({ name, names }: Files): string {
  const named = ['model.safetensors', INDEX].find(one => names.includes(one))
  if (named) return named
  const weights = names.filter(one => /\.(safetensors|npz)$/.test(one))
  const index = names.find(one => one.endsWith('.safetensors.index.json'))
  if (index) return index
  if (weights.length === 1) return weights[0]!
  if (weights.length > 1) throw unreadable(name, `holds several weight files (${weights.slice(0, 3).join(', ')}); open one of them.`)
  const pickled = names.find(one => /\.(bin|pth?|ckpt)$/.test(one))
  if (pickled) throw unreadable(name, `holds ${pickled}, a pickle, which can run code when it is opened.`, 'Save the weights as safetensors, then open them.')
  throw unreadable(name, 'holds no model.safetensors and no .npz.', 'Choose the folder with config.json and model.safetensors.')
}

type Described = Pick<OpenedModel, 'format' | 'architecture' | 'shape' | 'mean' | 'std' | 'naming' | 'config' | 'preprocessor' | 'classes' | 'notices'>

async function describe(files: Files, found: string, stored: TensorStore, hints: Hints): Promise<Described> {
  const config = files.names.includes('config.json') ? await readJson(files, 'config.json', AnyConfig) : null
  const preprocessor = files.names.includes('preprocessor_config.json') ? await readJson(files, 'preprocessor_config.json', Preprocessor) : null
  if (config && 'architecture' in config) return timmModel(await readJson(files, 'config.json', TimmConfig), { format: 'timm' }, stored, found)
  if (config?.model_type !== undefined) return hfModel(await readJson(files, 'config.json', HfConfig), stored, found, preprocessor)
  if (config) throw unreadable('config.json', 'has neither "architecture" (timm) nor "model_type" (transformers).')
  const guess = guessConfig(stored, found, hints)
  const described = guess.naming.format === 'transformers' ? hfModel(HfConfig.parse(guess.config), stored, found, null)
    : timmModel(TimmConfig.parse(guess.config), guess.naming, stored, found)
  return { ...described, notices: [...guess.notices, ...described.notices] }
}

function timmModel(config: TimmConfig, naming: Naming, stored: TensorStore, file: string): Described {
  timmArchitecture(config)
  const tensors = readTensors(stored, naming, file)
  const shape = vitShape(tensors, timmFacts(config, tensors), file)
  const cfg = config.pretrained_cfg ?? {}, usual = /^deit|dinov2/.test(config.architecture) ? IMAGENET : HALF
  const labels = config.label_names
  return {
    format: naming.format === 'timm' ? 'timm' : 'augreg-npz', architecture: config.architecture, naming, shape,
    mean: cfg.mean ?? usual.mean, std: cfg.std ?? usual.std, config, preprocessor: null, notices: [],
    classes: labels && shape.classes > 0 ? named(shape.classes, i => (labels as Record<number, string>)[i]) : null,
  }
}

function hfModel(config: HfConfig, stored: TensorStore, file: string, preprocessor: Preprocessor | null): Described {
  const model = hfModelOf(config)
  const prefix = [...stored.keys()].some(key => key.startsWith(`${model}.`)) ? `${model}.` : ''
  const naming: Naming = { format: 'transformers', model, prefix, teacher: stored.has('cls_classifier.weight') }
  const tensors = readTensors(stored, naming, file)
  const shape = vitShape(tensors, hfFacts(config, model, tensors), file)
  const usual = model === 'vit' ? HALF : IMAGENET
  const off = preprocessor?.do_normalize === false
  const ids = config.id2label
  return {
    format: 'transformers', naming, shape, config, preprocessor, notices: [],
    architecture: config.architectures?.[0] ?? (isDino(model) ? 'Dinov2Model' : `${model} of transformers`),
    mean: off ? [0, 0, 0] : preprocessor?.image_mean ?? usual.mean, std: off ? [1, 1, 1] : preprocessor?.image_std ?? usual.std,
    classes: ids && shape.classes > 0 && !/^LABEL_0$/.test(ids['0'] ?? '') ? named(shape.classes, i => ids[i]) : null,
  }
}

const named = (classes: number, name: (i: number) => string | undefined): string[] => Array.from({ length: classes }, (_, i) => name(i) ?? String(i))

/** Stored tensors of these belong to the computation: without a place for them the numbers would be wrong. */
const structural = /(^|[./])(blocks|layers?|encoderblock(_\d+)?|patch_embed|embedding|attn_pool|norm\w*|layernorm)[./]/

/** Every tensor of the architecture is there with its shape; returns the names of those that are left over. */
function checkTensors(stored: TensorStore, keys: KeyMap, sites: readonly Site[], file: string): string[] {
  const lost: string[] = []
  for (const site of sites) for (const tensor of Object.keys(site.tensors)) {
    const place = keys.places.get(tensorName(site.name, tensor))
    if (!place) throw new AppError('model-unsupported', `${file}: this format has no place for ${site.name}.${tensor}.`)
    const there = stored.get(place.key)
    if (!there) lost.push(place.key)
    else if (there.shape.length !== place.shape.length || there.shape.some((n, i) => n !== place.shape[i])) {
      throw unreadable(there.file, `tensor "${place.key}" has the shape [${there.shape.join(', ')}]; the model needs [${place.shape.join(', ')}].`)
    }
  }
  if (lost.length > 0) missing(file, [...new Set(lost)])
  const used = new Set([...keys.places.values()].map(place => place.key))
  const unused = [...stored.keys()].filter(key => !used.has(key)).sort()
  const essential = unused.find(key => structural.test(key) && !/pooler|pre_logits|mask_token/.test(key))
  if (essential) throw new AppError('model-unsupported', `${file}: the tensor "${essential}" belongs to a variant of this architecture that Engram does not have.`)
  return unused
}

async function readTensor(stored: TensorStore, keys: KeyMap, name: string): Promise<Float32Array<ArrayBuffer>> {
  const place = keys.places.get(name)
  if (!place) throw new Error(`No tensor ${name} in this model.`)
  const tensor = stored.get(place.key)!, width = count(place.shape.slice(1))
  const values = place.rows ? await tensor.read([place.rows[0] * width, place.rows[1] * width]) : fromStored(await tensor.read(), place)
  if (!allFinite(values)) throw unreadable(tensor.file, `tensor "${place.key}" holds numbers that are infinite or not a number.`, 'Such a model computes nothing; get its weights again.')
  return values
}
