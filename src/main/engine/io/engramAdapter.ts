import { z } from 'zod'
import { sites as vitSites } from '../backbones/vit'
import type { Method } from '../methods/define'
import { methods } from '../methods/index'
import { count, tensorName, type Site } from '../sites'
import type { AdapterRead } from './adapter'
import { ROOT } from './adapterNames'
import type { OpenedModel } from './model'
import { invalid } from './peft/common'
import type { TensorStore } from './safetensors'

const Config = z.looseObject({
  peft_type: z.string(), sites: z.array(z.string()), classes: z.array(z.string()).nullish(),
  method: z.looseObject({ type: z.string() }), pool: z.enum(['cls', 'mean', 'cls+mean']), imageSize: z.int().min(1),
})

/** Engram's own layout (docs/adapters.md): base_model.model.SITE.TENSOR. */
export async function readEngramAdapter(value: unknown, stored: TensorStore, opened: OpenedModel): Promise<AdapterRead> {
  const parsed = Config.safeParse(value)
  if (!parsed.success) throw invalid(`adapter_config.json: ${parsed.error.issues[0]!.path.join('.')} is missing or wrong.`)
  const { method: { type, ...fields }, sites, classes, pool, imageSize } = parsed.data
  const method = methods.find(one => one.id === type)
  if (!method) throw invalid(`adapter_config.json: "${type}" is no method of this version of Engram.`)
  const config = method.config.safeParse(fields)
  if (!config.success) throw invalid(`adapter_config.json: method.${config.error.issues[0]!.path.join('.')} is wrong.`)
  const weight = stored.get(`${ROOT}head.weight`), shape = {
    ...opened.shape, pool, imageSize,
    ...(weight ? { classes: weight.shape[0]!, headBias: stored.has(`${ROOT}head.bias`), distillationHead: stored.has(`${ROOT}head_dist.weight`) } : {}),
  }
  const read: AdapterRead = {
    method, config: config.data as Record<string, unknown>, sites, values: new Map(), replaced: new Map(), shape,
    classes: classes?.length === shape.classes ? classes : null, unused: [], notices: [],
  }
  const table = new Map(vitSites(shape).map(site => [site.name, site]))
  const scales = new Map<string, Float32Array>()
  for (const key of stored.keys()) await take(key, stored, table, read, scales)
  await bakeScales(scales, table, read, opened)
  requireParams(table, read)
  return read
}

function requireParams(table: ReadonlyMap<string, Site>, { method, config, sites, values }: AdapterRead): void {
  for (const name of sites) {
    const site = table.get(name)
    if (!site) throw invalid(`The adapter changes ${name}, a layer that this backbone does not have.`, 'It was made for another backbone.')
    const lacking = Object.keys(method.params?.(site, config as never) ?? {}).find(param => !values.has(tensorName(name, param)))
    if (lacking) throw invalid(`The adapter has no ${lacking} for ${name}.`)
  }
}

async function take(key: string, stored: TensorStore, table: ReadonlyMap<string, Site>, read: AdapterRead, scales: Map<string, Float32Array>): Promise<void> {
  const name = key.replace(ROOT, ''), at = name.lastIndexOf('.'), site = table.get(name.slice(0, at)), tensor = name.slice(at + 1)
  if (!site) throw invalid(`The adapter changes ${name.slice(0, at)}, a layer that this backbone does not have.`, 'It was made for another backbone.')
  const scale = { san_gamma_in: [site.in], san_gamma_out: [site.out] }[tensor]
  const shape = scale ?? site.tensors[tensor] ?? read.method.params?.(site, read.config as never)[tensor]?.shape
  const there = stored.get(key)!
  if (!shape) throw invalid(`The tensor "${key}" has no place in an adapter of ${read.method.title}.`)
  if (count(there.shape) !== count(shape) || there.shape.some((n, i) => n !== shape[i])) throw invalid(`"${key}" has the shape [${there.shape.join(', ')}]; this backbone needs [${shape.join(', ')}].`)
  const data = await there.read()
  if (scale) scales.set(name, data)
  else if (tensor in site.tensors && (site.role === 'head' || !trains(read.method, site, tensor, read.config))) read.replaced.set(name, data)
  else read.values.set(name, data)
}

const trains = (method: Method, site: Site, tensor: string, config: unknown): boolean =>
  method.selects(site, config as never) && (method.unfreeze?.(site, config as never) ?? []).includes(tensor)

/** What SAN propagated into a layer acts on its frozen weight, or around the whole layer where the method says so. */
async function bakeScales(scales: ReadonlyMap<string, Float32Array>, table: ReadonlyMap<string, Site>, read: AdapterRead, opened: OpenedModel): Promise<void> {
  const coupling = 'never' in read.method.san ? null : read.method.san
  for (const name of new Set([...scales.keys()].map(key => key.slice(0, key.lastIndexOf('.'))))) {
    const site = table.get(name)!, columns = scales.get(`${name}.san_gamma_in`), rows = scales.get(`${name}.san_gamma_out`)
    const own = tensorName(name, 'weight'), magnitude = read.values.get(`${name}.magnitude`)
    const around = rows && coupling?.rows === 'whole' && read.sites.includes(name)
    // outside the norm a row factor is a factor of the magnitude
    if (around && magnitude) read.values.set(`${name}.magnitude`, magnitude.map((m, i) => m * rows[i]!))
    else if (around) throw invalid(`The adapter scales the rows of ${name} in a way that ${read.method.title} does not.`)
    const weight = (read.values.get(own) ?? read.replaced.get(own) ?? await opened.read(own)).slice()
    for (let o = 0; o < site.out; o++) for (let i = 0; i < site.in; i++) weight[o * site.in + i]! *= (columns?.[i] ?? 1) * (around ? 1 : rows?.[o] ?? 1)
    ;(read.values.has(own) ? read.values : read.replaced).set(own, weight)
  }
}
