import type { PeftLayer, PeftLayout, PeftPart, PeftRead, PeftTensor, PeftValues } from '../../methods/define'
import type { Site } from '../../sites'
import { invalid, rolesOf, wantShape } from './common'

/** IA³ in PEFT: ia3_l [out, 1] scales outputs, [1, in] inputs (a "feedforward" layer). */
const L = 'ia3_l'
export interface Ia3Config { roles: readonly string[]; inputs: readonly string[] }

export const ia3Layout: PeftLayout<Ia3Config> = {
  type: 'IA3',
  accepts: () => true,
  fields: () => ({ fan_in_fan_out: false, init_ia3_weights: true }),
  suffixes: [L],
  join: async (parts, config) => joinVectors(parts, config),
  split: layers => splitVectors(layers),
}

function joinVectors(parts: readonly PeftPart[], { inputs }: Ia3Config): PeftLayer | null {
  const atInput = ({ site }: PeftPart) => inputs.includes(site.role)
  const used = parts.filter(part => part.values !== null), first = used[0]!.values!.ia3_l!
  if (used.some(atInput)) {
    // one input feeds all of them, so they must agree on its scale
    if (used.length < parts.length || !used.every(part => atInput(part) && part.values!.ia3_l!.every((x, i) => x === first[i]))) return null
    return { tensors: { [L]: { shape: [1, first.length], data: first } }, feedforward: true }
  }
  const all = new Float32Array(parts.reduce((n, { site }) => n + site.out, 0)).fill(1)
  let top = 0
  for (const { site, values } of parts) {
    if (values) all.set(values.ia3_l!, top)
    top += site.out
  }
  return { tensors: { [L]: { shape: [all.length, 1], data: all } } }
}

function splitVectors(layers: readonly PeftRead[]): PeftValues {
  const values = new Map<string, Record<string, Float32Array>>(), outputs: Site[] = [], inputs: Site[] = []
  for (const { path, sites, tensors } of layers) {
    const l = tensors[L]!, feedforward = l.shape[0] === 1 && l.shape.length === 2
    wantShape(`${path}.${L}`, l, feedforward ? [1, sites[0]!.in] : [sites.reduce((n, s) => n + s.out, 0), 1])
    let top = 0
    for (const site of sites) {
      const part = feedforward ? l.data : l.data.slice(top, top + site.out)
      top += site.out
      // a joint layer that scales only some of its sites has ones for the others
      if (sites.length > 1 && !feedforward && part.every(x => x === 1)) continue
      ;(feedforward ? inputs : outputs).push(site)
      values.set(site.name, { ia3_l: part })
    }
  }
  const config = { roles: rolesOf(outputs), inputs: rolesOf(inputs) }
  const both = config.roles.find(role => config.inputs.includes(role))
  if (both) throw invalid(`The adapter scales the input of some "${both}" projections and the output of others, which Engram does not do together.`)
  return { config, values }
}

/** LayerNorm tuning in PEFT: a copy of the norm. */
const WEIGHT = 'ln_tuning_layers.weight', BIAS = 'ln_tuning_layers.bias'

export const normLayout: PeftLayout<unknown> = {
  type: 'LN_TUNING',
  accepts: () => true,
  fields: () => ({}),
  suffixes: [WEIGHT, BIAS],
  async join([part]) {
    const tensor = (data: Float32Array): PeftTensor => ({ shape: [data.length], data })
    const { weight, bias } = part!.values!
    return { tensors: { [WEIGHT]: tensor(weight!), ...(bias ? { [BIAS]: tensor(bias) } : {}) } }
  },
  split(layers) {
    const values = new Map<string, Record<string, Float32Array>>()
    for (const { path, sites: [site], tensors } of layers) {
      if (site!.kind !== 'norm') throw invalid(`${path} is tuned as a norm, but it is none.`)
      for (const [name, tensor] of Object.entries(tensors)) wantShape(`${path}.${name}`, tensor, [site!.out])
      values.set(site!.name, { ...(tensors[WEIGHT] ? { weight: tensors[WEIGHT].data } : {}), ...(tensors[BIAS] ? { bias: tensors[BIAS].data } : {}) })
    }
    return { config: {}, values }
  },
}
