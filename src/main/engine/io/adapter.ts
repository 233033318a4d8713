import { z } from 'zod'
import { issueWords } from '../../contract/errors'
import type { VitShape } from '../../contract/model'
import { sites as vitSites } from '../backbones/vit'
import type { Method, PeftRead, PeftTensor } from '../methods/define'
import { methods } from '../methods/index'
import { tensorName, type Site } from '../sites'
import { ROOT, isHeadPath, layersOf, targets, type Layers } from './adapterNames'
import { decodeUtf8, type Files } from './bytes'
import { isDino } from './configs'
import { readEngramAdapter } from './engramAdapter'
import type { Module } from './keymaps/vit'
import type { OpenedModel } from './model'
import { invalid, wantShape } from './peft/common'
import { openSafetensors, type StoredTensor, type TensorStore } from './safetensors'

export { writeAdapter, type AdapterFiles, type AdapterSource } from './adapterWrite'

/** An adapter in terms of the engine: run `method` with `config` on `sites`, over the backbone with `replaced` tensors. */
export interface AdapterRead {
  method: Method
  config: Record<string, unknown>
  /** names of the adapted sites; give them to createTuning as patterns */
  sites: string[]
  /** the method's tensors by `site.tensor`, in the shapes that its params declare */
  values: Map<string, Float32Array>
  /** tensors of the backbone and its head that the adapter brings: they stand in for the checkpoint's own */
  replaced: Map<string, Float32Array>
  /** the backbone's, with the adapter's head */
  shape: VitShape
  classes: string[] | null
  /** tensors in the file that were not needed */
  unused: string[]
  notices: string[]
}

const CONFIG = 'adapter_config.json', WEIGHTS = 'adapter_model.safetensors'
const Names = z.union([z.string(), z.array(z.string())]).nullish()
const Config = z.looseObject({
  peft_type: z.string(),
  r: z.int().min(1).default(8), lora_alpha: z.number().positive().default(8), lora_dropout: z.number().min(0).default(0),
  use_rslora: z.boolean().nullish().transform(x => x ?? false), use_dora: z.boolean().nullish().transform(x => x ?? false),
  rank_pattern: z.record(z.string(), z.int().min(1)).nullish().transform(x => x ?? {}),
  alpha_pattern: z.record(z.string(), z.number()).nullish().transform(x => x ?? {}),
  target_modules: Names, exclude_modules: Names, modules_to_save: z.array(z.string()).nullish(),
  layers_to_transform: z.unknown().optional(), init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
})
type Config = z.infer<typeof Config>
const Sidecar = z.looseObject({ classes: z.array(z.string()).nullish(), pool: z.enum(['cls', 'mean', 'cls+mean']).nullish(), imageSize: z.int().min(1).nullish() })

export async function readAdapter(files: Files, opened: OpenedModel): Promise<AdapterRead> {
  if (!files.names.includes(CONFIG)) throw invalid(`${files.name}: there is no ${CONFIG}.`, 'Choose the folder that PEFT or Engram saved the adapter in.')
  const config = await jsonOf(files, CONFIG, Config)
  if (!files.names.includes(WEIGHTS)) throw invalid(`${files.name}: there is no ${WEIGHTS}.`, files.names.includes('adapter_model.bin') ? 'adapter_model.bin is a pickle, which can run code; save the adapter with safe_serialization.' : undefined)
  const stored = await openSafetensors(files.open(WEIGHTS))
  if (config.peft_type.startsWith('ENGRAM/')) return readEngramAdapter(config, stored, opened)
  refuseVariants(config)
  const method = methods.find(one => one.peft?.type === config.peft_type && one.peft.accepts(config))
  if (!method) throw invalid(`PEFT adapters of type ${config.peft_type} are not supported; Engram reads ${[...new Set(methods.flatMap(m => m.peft?.type ?? []))].join(', ')} and its own.`)
  const sidecar = files.names.includes('engram.json') ? await jsonOf(files, 'engram.json', Sidecar) : {}
  return importPeft(config, method, stored, opened, sidecar)
}

async function jsonOf<S extends z.ZodType>(files: Files, name: string, schema: S): Promise<z.output<S>> {
  const source = files.open(name)
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8(await source.read(0, source.size)))
  } catch {
    throw invalid(`${name} is not valid JSON.`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw invalid(`${name}: ${issue.path.join('.') || 'the document'}: ${issueWords(issue)}.`)
}

/** Options of PEFT that change what the tensors mean. */
function refuseVariants(config: Config): void {
  const on = ['use_qalora', 'use_bdlora', 'lora_bias', 'alora_invocation_tokens', 'target_parameters', 'trainable_token_indices', 'layer_replication', 'kasa_config', 'arrow_config']
    .find(option => { const value = config[option]; return Array.isArray(value) ? value.length > 0 : Boolean(value) })
  if (on) throw invalid(`${CONFIG}: "${on}" is not supported.`)
  const init = config.init_lora_weights
  if (typeof init === 'string' && /^(pissa|olora|corda|loftq|lora_ga)/i.test(init)) {
    throw invalid(`${CONFIG}: an adapter made with init_lora_weights "${init}" belongs to changed base weights.`, 'Save it from PEFT with path_initial_model_for_weight_conversion, which turns it into a plain LoRA.')
  }
}

interface Found { layers: Map<string, { module: Module; tensors: Map<string, StoredTensor> }>; own: { module: Module; tensor: string; stored: StoredTensor }[]; unused: string[] }

async function importPeft(config: Config, method: Method, stored: TensorStore, opened: OpenedModel, sidecar: z.infer<typeof Sidecar>): Promise<AdapterRead> {
  const shape = shapeWithHead(stored, opened, sidecar)
  const naming = opened.naming.format === 'transformers' ? { ...opened.naming, teacher: shape.distillationHead } : opened.naming
  const layers = layersOf(shape, naming), found = sort(stored, layers, method.peft!.suffixes, config.peft_type)
  requireAll(config, found, layers)
  const reads: PeftRead[] = await Promise.all([...found.layers].map(async ([path, { module, tensors }]) => ({ path, sites: module.sites, tensors: await readAll(tensors) })))
  const split = method.peft!.split(reads, config), parsed = method.config.parse(split.config) as Record<string, unknown>
  const read: AdapterRead = {
    method, config: parsed, sites: [], values: new Map(), replaced: await ownTensors(found, opened), shape, unused: found.unused,
    classes: sidecar.classes?.length === shape.classes ? sidecar.classes : null, notices: [],
  }
  for (const site of vitSites(shape)) {
    const values = split.values.get(site.name)
    if (values) await place(site, values, read, opened)
  }
  return read
}

/** Values of a site that the method can adapt stay values; a change of any other layer goes into its weight. */
async function place(site: Site, values: Record<string, Float32Array>, read: AdapterRead, opened: OpenedModel): Promise<void> {
  const { method, config } = read
  if (method.selects(site, config as never) && site.role !== 'head') {
    read.sites.push(site.name)
    for (const [name, data] of Object.entries(values)) read.values.set(tensorName(site.name, name), data)
    return
  }
  if (!method.peft!.delta || 'magnitude' in values) throw invalid(`The adapter changes ${site.name}, which Engram's ${method.title} does not reach.`)
  const name = tensorName(site.name, 'weight'), weight = (read.replaced.get(name) ?? await opened.read(name)).slice()
  method.peft!.delta(values, site, config as never).forEach((x, i) => { weight[i]! += x })
  read.replaced.set(name, weight)
  read.notices.push(`The change of ${site.name} was merged into its weight: Engram's ${method.title} does not adapt it.`)
}

/** A key without PEFT's wrapping: layer and tensor. */
const plainKey = (key: string): string => key.replace(ROOT, '').replace(/\.(default|modules_to_save|base_layer)(?=\.|$)/g, '').replace(/(lora_magnitude_vector)\.weight$/, '$1')

function shapeWithHead(stored: TensorStore, opened: OpenedModel, sidecar: z.infer<typeof Sidecar>): VitShape {
  const heads = new Map([...stored.values()].map(tensor => [plainKey(tensor.name), tensor] as const).filter(([key]) => isHeadPath(key.replace(/\.(weight|bias)$/, ''))))
  const imageSize = sidecar.imageSize ?? opened.shape.imageSize
  const weight = [...heads].find(([key]) => /^(head|classifier|cls_classifier)\.weight$/.test(key))?.[1]
  if (!weight) return { ...opened.shape, imageSize }
  const dino = opened.naming.format === 'transformers' && isDino(opened.naming.model)
  return {
    ...opened.shape, imageSize, classes: weight.shape[0]!, headBias: heads.has(plainKey(weight.name).replace(/weight$/, 'bias')),
    distillationHead: heads.has('head_dist.weight') || heads.has('distillation_classifier.weight'),
    pool: dino ? 'cls+mean' : sidecar.pool ?? opened.shape.pool,
  }
}

function sort(stored: TensorStore, layers: Layers, suffixes: readonly string[], type: string): Found {
  const found: Found = { layers: new Map(), own: [], unused: [] }
  for (const [key, tensor] of stored) {
    const plain = plainKey(key), suffix = suffixes.find(one => plain.endsWith(`.${one}`))
    const path = plain.slice(0, suffix ? -suffix.length - 1 : plain.lastIndexOf('.')), module = layers.find(path)
    if (suffix) {
      if (!module) throw invalid(`The adapter changes ${path}, a layer that this backbone does not have.`, 'It was made for another model.')
      const layer = found.layers.get(path) ?? { module, tensors: new Map<string, StoredTensor>() }
      layer.tensors.set(suffix, tensor)
      found.layers.set(path, layer)
    } else if (module && /\.(weight|bias)$/.test(plain)) found.own.push({ module, tensor: plain.slice(path.length + 1), stored: tensor })
    else if (/\.(lora|ia3|ln_tuning|vera|hada|oft|boft|hra|delora|road|shira|miss)_?\w*(\.\w+)?$/.test(plain)) throw invalid(`The tensor "${key}" has no place in a ${type} adapter that Engram reads.`)
    else found.unused.push(key)
  }
  return found
}

/** Every layer that the config says is adapted has its tensors. */
function requireAll(config: Config, found: Found, layers: Layers): void {
  const wanted = config.target_modules, [first] = found.layers.keys()
  if (first === undefined) throw invalid(`${WEIGHTS} holds no ${config.peft_type} tensors for this backbone.`)
  if (!wanted || wanted === 'all-linear' || (config.layers_to_transform ?? config.exclude_modules ?? null) !== null) return
  const lacking = layers.like(first).find(({ path }) => targets(wanted, path) && !found.layers.has(path) && !config.modules_to_save?.some(name => targets([name], path)))
  if (lacking) throw invalid(`The adapter has no tensors for ${lacking.path}, which its config says it changes.`)
}

async function readAll(tensors: ReadonlyMap<string, StoredTensor>): Promise<Record<string, PeftTensor>> {
  return Object.fromEntries(await Promise.all([...tensors].map(async ([name, tensor]) => [name, { shape: tensor.shape, data: await tensor.read() }] as const)))
}

/** Trained copies of the backbone's own tensors: heads, biases, norms. */
async function ownTensors({ own }: Found, opened: OpenedModel): Promise<Map<string, Float32Array>> {
  const replaced = new Map<string, Float32Array>()
  for (const { module, tensor, stored } of own) {
    const data = await stored.read(), height = module.sites.reduce((n, site) => n + site.out, 0), width = data.length / height
    let top = 0
    for (const site of module.sites) {
      const name = tensorName(site.name, tensor), shape = site.tensors[tensor]
      if (!shape) throw invalid(`The adapter brings ${stored.name}, but ${opened.name} has no ${name}.`)
      wantShape(stored.name, { shape: stored.shape, data }, [height, ...shape.slice(1)])
      replaced.set(name, data.slice(top * width, (top + site.out) * width))
      top += site.out
    }
  }
  return replaced
}
