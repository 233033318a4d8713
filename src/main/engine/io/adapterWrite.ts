import { AppError } from '../../contract/errors'
import type { VitShape } from '../../contract/model'
import { sites as vitSites } from '../backbones/vit'
import type { Method, PeftLayer } from '../methods/define'
import type { Site } from '../sites'
import { ROOT, shortNames, targetModules } from './adapterNames'
import { jsonFile, type OutFile } from './bytes'
import type { Preprocessing } from './exportConfig'
import { expressHead, type Expressed } from './express'
import { keyMap, type Naming } from './keymaps/vit'
import type { OpenedModel } from './model'
import { safetensorsFile, type TensorToWrite } from './safetensors'

/** A trained run, as far as its adapter needs it. */
export interface AdapterSource {
  /** of the run: its classes, pooling and image size */
  shape: VitShape
  method: Method
  config: Readonly<Record<string, unknown>>
  /** every trained tensor by name, the head's too */
  values: ReadonlyMap<string, Float32Array>
  /** SAN: what was propagated into which site, baked into vectors; and SAN's own settings, for the record */
  san?: { config: unknown; scales: ReadonlyMap<string, { columns: Float32Array | null; rows: Float32Array | null }> } | null
  classes?: readonly string[]
  preprocessing?: Preprocessing
  /** where the backbone is: a folder, or an id on a hub */
  base?: string
}
export interface AdapterFiles { files: OutFile[]; format: string; python: string; notices: string[] }

/** adapter_config.json and adapter_model.safetensors: HF PEFT's layout where it can say the same, else Engram's own. */
export async function writeAdapter(opened: OpenedModel, source: AdapterSource): Promise<AdapterFiles> {
  const why = source.san ? 'PEFT cannot hold scales that SAN propagated' : source.method.peft ? null : `PEFT has no ${source.method.title}`
  if (why) return engramAdapter(opened, source, `${why}, so the adapter is in Engram's own layout.`)
  const changed = new Map(source.values)
  let head: Pick<Expressed, 'shape' | 'naming'>
  try {
    head = expressHead(opened, source.shape, changed)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return engramAdapter(opened, source, `${error.message} The adapter is in Engram's own layout.`)
  }
  const layers = await peftLayers(opened, source, head)
  return layers ? peftAdapter(opened, source, head, layers, changed)
    : engramAdapter(opened, source, `${source.method.title} on these layers has no equal in PEFT, so the adapter is in Engram's own layout.`)
}

type Layer = PeftLayer & { path: string }

function bySite(values: ReadonlyMap<string, Float32Array>, sites: readonly Site[]): Map<string, Record<string, Float32Array>> {
  const found = new Map<string, Record<string, Float32Array>>(), names = new Set(sites.map(site => site.name))
  for (const [name, data] of values) {
    const at = name.lastIndexOf('.'), site = name.slice(0, at)
    if (names.has(site)) found.set(site, { ...found.get(site), [name.slice(at + 1)]: data })
  }
  return found
}

async function peftLayers(opened: OpenedModel, { method, config, values, shape }: AdapterSource, { naming }: Pick<Expressed, 'naming'>): Promise<Layer[] | null> {
  const adapted = bySite(values, vitSites(shape).filter(site => site.role !== 'head'))
  const layers: Layer[] = []
  for (const { path, sites } of keyMap(opened.shape, naming).modules) {
    const parts = sites.map(site => ({ site, values: adapted.get(site.name) ?? null, frozen: (tensor: string) => opened.read(`${site.name}.${tensor}`) }))
    if (parts.every(part => part.values === null)) continue
    const layer = await method.peft!.join(parts, config as never)
    if (!layer) return null
    layers.push({ path, ...layer })
    sites.forEach(site => adapted.delete(site.name))
  }
  return adapted.size === 0 ? layers : null
}

const headSites = (shape: VitShape): Site[] => vitSites(shape).filter(site => site.role === 'head')

function peftAdapter(opened: OpenedModel, source: AdapterSource, { shape, naming }: Pick<Expressed, 'shape' | 'naming'>, layers: readonly Layer[], changed: ReadonlyMap<string, Float32Array>): AdapterFiles {
  const { modules, places } = keyMap(shape, naming)
  const names = shortNames(layers.map(layer => layer.path), modules.map(module => module.path), naming)
  const heads = modules.filter(module => module.sites.some(site => site.role === 'head')).map(module => module.path)
  const tensors = layers.flatMap(({ path, tensors }) => Object.entries(tensors).map(([suffix, tensor]): TensorToWrite => ({ name: `${ROOT}${path}.${suffix}`, dtype: 'F32', ...tensor })))
  for (const site of headSites(shape)) for (const [tensor, dims] of Object.entries(site.tensors)) {
    const data = changed.get(`${site.name}.${tensor}`) ?? (tensor === 'bias' ? new Float32Array(site.out) : null)
    if (data) tensors.push({ name: ROOT + places.get(`${site.name}.${tensor}`)!.key, dtype: 'F32', shape: dims, data })
  }
  const own = source.method.peft!, feedforward = layers.filter(layer => layer.feedforward)
  const config = {
    peft_type: own.type, task_type: null, auto_mapping: autoMapping(naming), base_model_name_or_path: source.base ?? opened.name, revision: null, inference_mode: true,
    target_modules: targetModules(names, naming), exclude_modules: null, modules_to_save: heads.length > 0 ? heads : null,
    ...own.fields(source.config as never),
    ...(own.type === 'LORA' ? { rank_pattern: pattern(layers, names, 'rank'), alpha_pattern: pattern(layers, names, 'alpha') } : {}),
    ...(own.type === 'IA3' ? { feedforward_modules: unique(feedforward.map(layer => names.get(layer.path)!)) } : {}),
  }
  const files = [jsonFile('adapter_config.json', config), safetensorsFile('adapter_model.safetensors', tensors), jsonFile('engram.json', sidecar(opened, source))]
  return { files, format: `PEFT ${own.type}`, python: pythonLines(opened, source, naming), notices: [] }
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort()

/** Layers whose rank or alpha is another than the config's, under names that mean no layer with yet another one. */
function pattern(layers: readonly Layer[], names: ReadonlyMap<string, string>, field: 'rank' | 'alpha'): Record<string, number> {
  const out: Record<string, number> = {}
  for (const layer of layers) {
    const value = layer[field]
    if (value === undefined) continue
    const name = names.get(layer.path)!, same = layers.filter(other => names.get(other.path) === name).every(other => other[field] === value)
    out[same ? name : layer.path] = value
  }
  return out
}

const libraries = { vit: 'ViT', deit: 'DeiT', dinov2: 'Dinov2', dinov2_with_registers: 'Dinov2WithRegisters' } as const
const autoMapping = (naming: Naming): Record<string, string> => naming.format === 'transformers'
  ? { base_model_class: `${libraries[naming.model]}ForImageClassification${naming.teacher ? 'WithTeacher' : ''}`, parent_library: `transformers.models.${naming.model}.modeling_${naming.model}` }
  : { base_model_class: 'VisionTransformer', parent_library: 'timm.models.vision_transformer' }

function pythonLines(opened: OpenedModel, { shape, base }: AdapterSource, naming: Naming): string {
  const from = base ?? opened.name, end = "model = PeftModel.from_pretrained(base, 'FOLDER').eval()"
  if (naming.format === 'transformers') {
    const positions = naming.model.startsWith('dinov2') || shape.imageSize === opened.shape.imageSize ? '' : '\nlogits = model(pixel_values, interpolate_pos_encoding=True).logits'
    return `from peft import PeftModel\nfrom transformers import ${autoMapping(naming).base_model_class} as Base\nbase = Base.from_pretrained('${from}', num_labels=${shape.classes}, ignore_mismatched_sizes=True)\n${end}${positions}`
  }
  const source = opened.format === 'augreg-npz' ? `'${opened.architecture}', checkpoint_path='${from}'` : `'local-dir:${from}', pretrained=True`
  const pool = shape.pool === opened.shape.pool ? '' : `, global_pool='${shape.pool === 'cls' ? 'token' : 'avg'}', fc_norm=${shape.poolNorm ? 'True' : 'False'}`
  return `import timm\nfrom peft import PeftModel\nbase = timm.create_model(${source}, num_classes=${shape.classes}, img_size=${shape.imageSize}${pool})\n${end}`
}

/** What an adapter does not say but its user wants to know; readAdapter takes it from here. */
const sidecar = (opened: OpenedModel, { shape, method, config, classes, preprocessing }: AdapterSource) => ({
  format: 1, method: { type: method.id, ...config }, classes: classes ?? null, pool: shape.pool, imageSize: shape.imageSize,
  base: { name: opened.name, architecture: opened.architecture, width: shape.width, depth: shape.depth },
  preprocessing: preprocessing ?? { mean: opened.mean, std: opened.std },
})

/** docs/adapters.md: keys are Engram's own site names, so that the adapter fits the backbone in any library's format. */
function engramAdapter(opened: OpenedModel, source: AdapterSource, notice: string): AdapterFiles {
  const { shape, method, values, san } = source
  const tensors: TensorToWrite[] = [], adapted = new Set<string>()
  for (const site of vitSites(shape)) {
    const params = method.params?.(site, source.config as never) ?? {}
    const add = (tensor: string, dims: readonly number[], data: Float32Array | null | undefined) => {
      if (!data) return
      if (site.role !== 'head' && !tensor.startsWith('san_')) adapted.add(site.name)
      tensors.push({ name: `${ROOT}${site.name}.${tensor}`, dtype: 'F32', shape: dims, data })
    }
    for (const [tensor, dims] of Object.entries(site.tensors)) add(tensor, dims, values.get(`${site.name}.${tensor}`))
    for (const [tensor, param] of Object.entries(params)) if (!(tensor in site.tensors)) add(tensor, param.shape, values.get(`${site.name}.${tensor}`))
    const scale = san?.scales.get(site.name)
    add('san_gamma_in', [site.in], scale?.columns)
    add('san_gamma_out', [site.out], scale?.rows)
  }
  const config = {
    peft_type: `ENGRAM/${method.id}`, base_model_name_or_path: source.base ?? opened.name, inference_mode: true,
    sites: [...adapted], san: san?.config ?? null, ...sidecar(opened, source),
  }
  const python = '# This layout is Engram\'s own (docs/adapters.md); export merged weights to load them in Python.'
  return { files: [jsonFile('adapter_config.json', config), safetensorsFile('adapter_model.safetensors', tensors)], format: config.peft_type, python, notices: [notice] }
}
