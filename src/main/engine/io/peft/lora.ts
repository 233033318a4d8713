import type { PeftFields, PeftLayer, PeftLayout, PeftPart, PeftRead, PeftTensor, PeftValues } from '../../methods/define'
import type { Site } from '../../sites'
import { invalid, matching, rolesOf, wantShape } from './common'

/** LoRA and DoRA in PEFT: lora_A [r, in], lora_B [out, r], with DoRA a magnitude for each row. */

export interface LoraConfig { rank: number; alpha: number; rsLora: boolean; dropout: number; roles: unknown }
interface Factors { site: Site; a: Float32Array; b: Float32Array; rank: number; scale: number; magnitude: Float32Array | null }

const A = 'lora_A.weight', B = 'lora_B.weight', MAGNITUDE = 'lora_magnitude_vector'
const root = (rank: number, rsLora: boolean): number => rsLora ? Math.sqrt(rank) : rank

export const loraLayout = (dora: boolean): PeftLayout<LoraConfig> => ({
  type: 'LORA',
  accepts: fields => fields.use_dora === dora,
  fields: ({ rank, alpha, rsLora, dropout }) => ({
    r: rank, lora_alpha: alpha, lora_dropout: dropout, use_rslora: rsLora, use_dora: dora,
    bias: 'none', fan_in_fan_out: false, init_lora_weights: true, layers_to_transform: null, layers_pattern: null,
  }),
  suffixes: dora ? [A, B, MAGNITUDE] : [A, B],
  join: (parts, config) => join(parts, config, dora),
  split: (layers, fields) => split(layers, fields, dora),
  delta: (values, site, config) => product(values.lora_A!, values.lora_B!, site.in, config.alpha / root(config.rank, config.rsLora)),
})

/** Several sites in one layer: their A stacked, their B on the diagonal, so each keeps its own update. */
async function join(parts: readonly PeftPart[], config: LoraConfig, dora: boolean): Promise<PeftLayer> {
  const inn = parts[0]!.site.in, out = parts.reduce((n, { site }) => n + site.out, 0)
  const factors = parts.map(({ values }) => values && { a: values.lora_A!, b: values.lora_B!, rank: values.lora_A!.length / inn })
  const used = factors.filter(f => f !== null)
  const shared = used.every(f => f.a.length === used[0]!.a.length && f.a.every((x, i) => x === used[0]!.a[i]))
  const rank = shared ? used[0]!.rank : used.reduce((n, f) => n + f.rank, 0)
  const a = new Float32Array(rank * inn), b = new Float32Array(out * rank)
  let row = 0, top = 0
  factors.forEach((f, i) => {
    const { site } = parts[i]!
    if (f) {
      a.set(f.a, shared ? 0 : row * inn)
      for (let o = 0; o < site.out; o++) b.set(f.b.subarray(o * f.rank, (o + 1) * f.rank), (top + o) * rank + (shared ? 0 : row))
      row += f.rank
    }
    top += site.out
  })
  const tensors: Record<string, PeftTensor> = { [A]: { shape: [rank, inn], data: a }, [B]: { shape: [out, rank], data: b } }
  if (dora) tensors[MAGNITUDE] = { shape: [out], data: await magnitudes(parts, out) }
  // alpha grows with the rank, so that the scale stays
  return rank === config.rank ? { tensors } : { tensors, rank, alpha: config.alpha * root(rank, config.rsLora) / root(config.rank, config.rsLora) }
}

async function magnitudes(parts: readonly PeftPart[], out: number): Promise<Float32Array> {
  const all = new Float32Array(out)
  let top = 0
  for (const { site, values, frozen } of parts) {
    all.set(values ? values.magnitude! : rowNorms(await frozen('weight'), site.out), top)
    top += site.out
  }
  return all
}

export function rowNorms(w: Float32Array, out: number): Float32Array {
  const inn = w.length / out
  return Float32Array.from({ length: out }, (_, j) => Math.sqrt(w.subarray(j * inn, (j + 1) * inn).reduce((n, x) => n + x * x, 0)))
}

function split(layers: readonly PeftRead[], fields: PeftFields, dora: boolean): PeftValues {
  return uniform(layers.flatMap(layer => factorsOf(layer, fields, dora)), fields)
}

function factorsOf({ path, sites, tensors }: PeftRead, fields: PeftFields, dora: boolean): Factors[] {
  const a = tensors[A], b = tensors[B], magnitude = tensors[MAGNITUDE]
  if (!a || !b || (dora && !magnitude)) throw invalid(`The adapter has no ${!a ? 'lora_A' : !b ? 'lora_B' : MAGNITUDE} for ${path}.`)
  const rank = a.shape[0] ?? 0, inn = sites[0]!.in, out = sites.reduce((n, site) => n + site.out, 0)
  const expected = matching(fields.rank_pattern, path) ?? fields.r
  if (rank !== expected) throw invalid(`${path}: its rank is ${expected} by the config, but lora_A has ${rank} rows.`)
  wantShape(`${path}.${A}`, a, [rank, inn])
  wantShape(`${path}.${B}`, b, [out, rank])
  if (magnitude) wantShape(`${path}.${MAGNITUDE}`, magnitude, [out])
  const scale = (matching(fields.alpha_pattern, path) ?? fields.lora_alpha) / root(rank, fields.use_rslora)
  let top = 0
  return sites.flatMap(site => {
    const rows = b.data.slice(top * rank, (top + site.out) * rank)
    const own = sites.length > 1 ? usedRanks(a.data, rows, rank, site) : { a: a.data, b: rows, rank }
    const found: Factors = { site, ...own, scale, magnitude: magnitude?.data.slice(top, top + site.out) ?? null }
    top += site.out
    return own.rank === 0 && !dora ? [] : [found]
  })
}

/** Leaves out the ranks of a joint layer that do nothing at this site: they belong to its neighbours. */
function usedRanks(a: Float32Array, b: Float32Array, rank: number, site: Site): Pick<Factors, 'a' | 'b' | 'rank'> {
  const kept = Array.from({ length: rank }, (_, r) => r).filter(r => { for (let o = 0; o < site.out; o++) if (b[o * rank + r] !== 0) return true; return false })
  if (kept.length === rank) return { a, b, rank }
  const inn = site.in, left = { a: new Float32Array(kept.length * inn), b: new Float32Array(site.out * kept.length), rank: kept.length }
  kept.forEach((r, i) => {
    left.a.set(a.subarray(r * inn, (r + 1) * inn), i * inn)
    for (let o = 0; o < site.out; o++) left.b[o * kept.length + i] = b[o * rank + r]!
  })
  return left
}

/** One rank and one scale for all: smaller ranks are filled with zeros, another scale goes into B. */
function uniform(all: readonly Factors[], fields: PeftFields): PeftValues {
  const rank = Math.max(1, ...all.map(f => f.rank)), rsLora = fields.use_rslora
  const usual = fields.lora_alpha / root(fields.r, rsLora)
  const close = (x: number, y: number) => Math.abs(x - y) <= 1e-9 * Math.abs(y)
  const scale = all.every(f => close(f.scale, all[0]!.scale)) && all[0] ? all[0].scale : usual
  const values = new Map(all.map(f => [f.site.name, {
    lora_A: filled(f.a, f.rank, rank, f.site.in, 1),
    lora_B: filled(close(f.scale, scale) ? f.b : f.b.map(x => x * f.scale / scale), f.rank, rank, f.site.out, 0),
    ...(f.magnitude ? { magnitude: f.magnitude } : {}),
  }]))
  const alpha = rank === fields.r && close(scale, usual) ? fields.lora_alpha : scale * root(rank, rsLora)
  return { config: { rank, alpha, rsLora, dropout: fields.lora_dropout, roles: rolesOf(all.map(f => f.site)) }, values }
}

/** A [from, n] with zero rows (axis 1), or B [n, from] with zero columns (axis 0), up to `to`. */
function filled(x: Float32Array, from: number, to: number, n: number, axis: 0 | 1): Float32Array {
  if (from === to) return x
  const out = new Float32Array(to * n)
  if (axis === 1) out.set(x)
  else for (let o = 0; o < n; o++) out.set(x.subarray(o * from, (o + 1) * from), o * to)
  return out
}

/** scale · B A, [out, in]. */
function product(a: Float32Array, b: Float32Array, inn: number, scale: number): Float32Array {
  const rank = a.length / inn, out = b.length / rank, result = new Float32Array(out * inn)
  for (let o = 0; o < out; o++) for (let r = 0; r < rank; r++) {
    const factor = scale * b[o * rank + r]!
    for (let i = 0; i < inn; i++) result[o * inn + i]! += factor * a[r * inn + i]!
  }
  return result
}
