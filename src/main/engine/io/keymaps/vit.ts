import type { VitShape } from '../../../contract/model'
import { sites as vitSites } from '../../backbones/vit'
import { tensorName, type Site } from '../../sites'

/** The names of ViT checkpoints: one table per format, from which import, merged export and adapters all follow. */

export type HfModel = 'vit' | 'deit' | 'dinov2' | 'dinov2_with_registers'
export type Naming =
  | { format: 'timm' }
  /** Google's .npz; `prefix` such as opt/target/ */
  | { format: 'augreg-npz'; prefix: string }
  /** `prefix` is the model's name and a dot in a classifier, empty in a bare model */
  | { format: 'transformers'; model: HfModel; prefix: string; teacher: boolean }

/** Some sites that lie under one stored name. # is the number of a block, @ the prefix. */
interface Row {
  /** stacked along the output dimension in this order */
  sites: readonly string[]
  disk: string
  /** the stored name is the tensor itself, with a leading dimension of 1 */
  bare?: true
  /** other words for weight and bias */
  words?: Readonly<Record<string, string>>
  /** module paths in memory: one for all sites or one each; without, as on disk */
  modules?: readonly string[]
  /** only for these shapes */
  when?: (s: VitShape) => boolean
}

const plain = (s: VitShape): boolean => !s.gatedMlp
const gated = (s: VitShape): boolean => s.gatedMlp
const block = (...names: string[]): string[] => names.map(name => `blocks.#.${name}`)
const GAMMA = { weight: 'gamma' }, LAMBDA = { weight: 'lambda1' }

const timm: readonly Row[] = [
  { sites: ['patch_embed'], disk: 'patch_embed.proj' },
  ...['cls_token', 'dist_token', 'reg_token', 'pos_embed'].map((name): Row => ({ sites: [name], disk: name, bare: true })),
  ...['norm_pre', 'norm', 'fc_norm', 'head', 'head_dist'].map((name): Row => ({ sites: [name], disk: name })),
  ...block('norm1', 'norm2').map((name): Row => ({ sites: [name], disk: name })),
  ...block('ls1', 'ls2').map((name): Row => ({ sites: [name], disk: name, words: GAMMA })),
  { sites: block('q', 'k', 'v'), disk: 'blocks.#.attn.qkv' },
  { sites: block('proj'), disk: 'blocks.#.attn.proj' },
  { sites: block('fc1'), disk: 'blocks.#.mlp.fc1', when: plain },
  { sites: block('gate', 'fc1'), disk: 'blocks.#.mlp.fc1', when: gated },
  { sites: block('fc2'), disk: 'blocks.#.mlp.fc2' },
]

const KERNEL = { weight: 'kernel' }, SCALE = { weight: 'scale' }
const encoder = '@Transformer/encoderblock_#', mixer = `${encoder}/MultiHeadDotProductAttention_1`
const npz: readonly Row[] = [
  { sites: ['patch_embed'], disk: '@embedding', words: KERNEL },
  { sites: ['cls_token'], disk: '@cls', bare: true },
  { sites: ['pos_embed'], disk: '@Transformer/posembed_input/pos_embedding', bare: true },
  { sites: ['norm'], disk: '@Transformer/encoder_norm', words: SCALE },
  { sites: ['head'], disk: '@head', words: KERNEL },
  { sites: block('norm1'), disk: `${encoder}/LayerNorm_0`, words: SCALE },
  { sites: block('norm2'), disk: `${encoder}/LayerNorm_2`, words: SCALE },
  { sites: block('q'), disk: `${mixer}/query`, words: KERNEL },
  { sites: block('k'), disk: `${mixer}/key`, words: KERNEL },
  { sites: block('v'), disk: `${mixer}/value`, words: KERNEL },
  { sites: block('proj'), disk: `${mixer}/out`, words: KERNEL },
  { sites: block('fc1'), disk: `${encoder}/MlpBlock_3/Dense_0`, words: KERNEL },
  { sites: block('fc2'), disk: `${encoder}/MlpBlock_3/Dense_1`, words: KERNEL },
]

const hfStem: readonly Row[] = [
  { sites: ['patch_embed'], disk: '@embeddings.patch_embeddings.projection' },
  { sites: ['cls_token'], disk: '@embeddings.cls_token', bare: true },
  { sites: ['dist_token'], disk: '@embeddings.distillation_token', bare: true },
  { sites: ['reg_token'], disk: '@embeddings.register_tokens', bare: true },
  { sites: ['pos_embed'], disk: '@embeddings.position_embeddings', bare: true },
  { sites: ['norm'], disk: '@layernorm' },
]
const hfHead: readonly Row[] = [{ sites: ['head'], disk: 'classifier' }]
const hfTeacherHeads: readonly Row[] = [{ sites: ['head'], disk: 'cls_classifier' }, { sites: ['head_dist'], disk: 'distillation_classifier' }]
/** Blocks are called `stored` on disk and `live` in memory, where transformers 5 gave some layers new names. */
const hfAttention = (stored: string, live: string): Row[] => [
  { sites: block('q'), disk: `${stored}.attention.attention.query`, modules: [`${live}.attention.q_proj`] },
  { sites: block('k'), disk: `${stored}.attention.attention.key`, modules: [`${live}.attention.k_proj`] },
  { sites: block('v'), disk: `${stored}.attention.attention.value`, modules: [`${live}.attention.v_proj`] },
  { sites: block('proj'), disk: `${stored}.attention.output.dense`, modules: [`${live}.attention.o_proj`] },
]
const vitStored = '@encoder.layer.#', vitLive = '@layers.#'
const hfVit: readonly Row[] = [
  ...hfStem, ...hfAttention(vitStored, vitLive),
  { sites: block('norm1'), disk: `${vitStored}.layernorm_before`, modules: [`${vitLive}.layernorm_before`] },
  { sites: block('norm2'), disk: `${vitStored}.layernorm_after`, modules: [`${vitLive}.layernorm_after`] },
  { sites: block('fc1'), disk: `${vitStored}.intermediate.dense`, modules: [`${vitLive}.mlp.fc1`] },
  { sites: block('fc2'), disk: `${vitStored}.output.dense`, modules: [`${vitLive}.mlp.fc2`] },
]
const hfDino: readonly Row[] = [
  ...hfStem, ...hfAttention(vitStored, vitStored),
  ...['norm1', 'norm2'].map((name): Row => ({ sites: block(name), disk: `${vitStored}.${name}` })),
  ...['1', '2'].map((n): Row => ({ sites: block(`ls${n}`), disk: `${vitStored}.layer_scale${n}`, words: LAMBDA })),
  { sites: block('fc1'), disk: `${vitStored}.mlp.fc1`, when: plain },
  { sites: block('fc2'), disk: `${vitStored}.mlp.fc2`, when: plain },
  { sites: block('gate', 'fc1'), disk: `${vitStored}.mlp.weights_in`, modules: [`${vitStored}.mlp.gate_proj`, `${vitStored}.mlp.up_proj`], when: gated },
  { sites: block('fc2'), disk: `${vitStored}.mlp.weights_out`, modules: [`${vitStored}.mlp.down_proj`], when: gated },
]

function rowsOf(naming: Naming): readonly Row[] {
  if (naming.format === 'timm') return timm
  if (naming.format === 'augreg-npz') return npz
  return [...(naming.model.startsWith('dinov2') ? hfDino : hfVit), ...(naming.teacher ? hfTeacherHeads : hfHead)]
}

const fill = (pattern: string, naming: Naming, depth: number): string =>
  pattern.replace('#', String(depth)).replace('@', 'prefix' in naming ? naming.prefix : '')
const storedName = (row: Row, tensor: string, naming: Naming, depth: number): string => {
  const base = fill(row.disk, naming, depth)
  return row.bare ? base : `${base}${naming.format === 'augreg-npz' ? '/' : '.'}${row.words?.[tensor] ?? tensor}`
}

/** Where one of Engram's tensors lies in a file. */
export interface Place {
  key: string
  /** of the stored tensor as a whole */
  shape: readonly number[]
  /** the part of a stacked tensor, in rows of the output dimension */
  rows: readonly [number, number] | null
  /** output dimension of Engram's tensor */
  out: number
  /** kernel: in x out, hwio: a convolution's row x column x channel x out */
  layout: 'same' | 'kernel' | 'hwio'
}
/** A layer as PEFT sees it; several sites where the library keeps them in one. */
export interface Module { path: string; sites: readonly Site[] }
export interface KeyMap {
  /** by Engram's tensor name */
  places: ReadonlyMap<string, Place>
  modules: readonly Module[]
  /** the same layers under the names that transformers had before version 5 */
  formerModules: readonly Module[]
}

/** Everything about the names of a backbone of this shape. */
export function keyMap(shape: VitShape, naming: Naming): KeyMap {
  const sites = new Map(vitSites(shape).map(site => [site.name, site]))
  const places = new Map<string, Place>(), modules: Module[] = [], formerModules: Module[] = []
  for (const row of rowsOf(naming)) {
    if (row.when && !row.when(shape)) continue
    for (const depth of row.sites[0]!.includes('#') ? Array.from({ length: shape.depth }, (_, i) => i) : [0]) {
      const group = row.sites.map(name => sites.get(name.replace('#', String(depth)))).filter(site => site !== undefined)
      if (group.length === 0) continue
      addPlaces(places, row, group, naming, depth, shape)
      if (row.bare) continue
      const former = fill(row.disk, naming, depth), live = (row.modules ?? [row.disk]).map(path => fill(path, naming, depth))
      formerModules.push({ path: former, sites: group })
      modules.push(...(live.length === 1 ? [{ path: live[0]!, sites: group }] : live.map((path, i) => ({ path, sites: [group[i]!] }))))
    }
  }
  return { places, modules, formerModules }
}

function addPlaces(places: Map<string, Place>, row: Row, group: readonly Site[], naming: Naming, depth: number, shape: VitShape): void {
  const height = group.reduce((n, site) => n + site.out, 0)
  let top = 0
  for (const site of group) {
    for (const tensor of Object.keys(site.tensors)) {
      const rows = group.length > 1 ? [top, top + site.out] as const : null
      places.set(tensorName(site.name, tensor), { key: storedName(row, tensor, naming, depth), rows, out: site.out, ...stored(site, tensor, height, naming, shape) })
    }
    top += site.out
  }
}

function stored(site: Site, tensor: string, height: number, naming: Naming, s: VitShape): Pick<Place, 'shape' | 'layout'> {
  const own = site.tensors[tensor]!, numpy = naming.format === 'augreg-npz', { patch: p, heads } = s
  if (site.kind === 'embed') return { shape: [1, ...own], layout: 'same' }
  if (site.kind === 'conv' && tensor === 'weight') {
    return numpy ? { shape: [p, p, 3, site.out], layout: 'hwio' } : { shape: [site.out, 3, p, p], layout: 'same' }
  }
  if (!numpy || site.kind !== 'linear') return { shape: own.length === 1 ? [height] : [height, site.in], layout: 'same' }
  const mixed = ['q', 'k', 'v'].includes(site.role)
  if (tensor === 'bias') return { shape: mixed ? [heads, site.out / heads] : own, layout: 'same' }
  const split = (n: number, apart: boolean) => apart ? [heads, n / heads] : [n]
  return { shape: [...split(site.in, site.role === 'o'), ...split(site.out, mixed)], layout: 'kernel' }
}

/** The stored name of a tensor when the shape is not known yet. */
export function keyOf(naming: Naming, name: string, gatedMlp: boolean): string | null {
  const at = name.lastIndexOf('.'), site = name.slice(0, at)
  const depth = /^blocks\.(\d+)\./.exec(site)?.[1] ?? '0'
  const pattern = site.replace(/^blocks\.\d+\./, 'blocks.#.')
  const fits = (row: Row) => row.sites.includes(pattern) && (!row.when || row.when({ gatedMlp } as VitShape))
  const row = rowsOf(naming).find(fits)
  return row ? storedName(row, name.slice(at + 1), naming, Number(depth)) : null
}

/** A stored tensor (or its part) as Engram keeps it: out x in. */
export function fromStored(values: Float32Array<ArrayBuffer>, place: Place): Float32Array<ArrayBuffer> {
  if (place.layout === 'hwio') return fromHwio(values, place.shape)
  return place.layout === 'kernel' ? transposed(values, values.length / place.out, place.out) : values
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]!
  return out
}

function fromHwio(values: Float32Array, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const [h, w, channels, out] = shape as [number, number, number, number]
  const result = new Float32Array(values.length)
  let at = 0
  for (let o = 0; o < out; o++) for (let c = 0; c < channels; c++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    result[at++] = values[((y * w + x) * channels + c) * out + o]!
  }
  return result
}
