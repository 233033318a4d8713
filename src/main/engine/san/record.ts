import type { EngramMap, GainKind, SiteVector } from '../../contract/engram'
import { createNet, evaluation } from '../net'
import { count, tensorName, type Site } from '../sites'
import type { StepState } from '../step/step'
import { tf, type Tensor } from '../tf'
import type { Tuning } from '../tuning'
import { createPropagator } from './propagate'

/** Gives a frozen tensor by its canonical name. */
type Read = (name: string) => Promise<Float32Array>

/** How the gain of each site is obtained, propagated or not; empty for methods that have none. */
export function gainKinds({ method, config, san, sites, selected }: Tuning): Map<string, GainKind> {
  const coupling = method.san
  if ('never' in coupling) return new Map()
  if (san && [...san.gains.values()].some(kind => kind !== 'own')) return san.gains
  const kind = coupling.gain ? 'own' : method.hooks ? 'weight' : null
  if (kind === null) return new Map()
  return new Map(sites.filter(site => selected.has(site.name) && (coupling.gains?.(site, config) ?? true)).map(site => [site.name, kind]))
}

/** The sites whose vectors are worth looking at, and who scales whom. */
export function engramMap(tuning: Tuning): EngramMap {
  const kinds = gainKinds(tuning)
  const sites = tuning.sites.filter(({ kind, role }) => kind !== 'embed' && kind !== 'scale' && role !== 'head')
  return {
    format: 1,
    sites: sites.map(site => ({
      name: site.name, role: site.role, kind: site.kind, block: site.depth, in: site.in, out: site.out,
      gain: kinds.get(site.name) ?? null, shift: mayShift(tuning, site),
    })),
    paths: (tuning.san?.propagations ?? []).map(path => ({ ...path, from: [...path.from] })),
  }
}

const mayShift = ({ method, selected }: Tuning, site: Site): boolean =>
  !('never' in method.san) && method.san.shift !== undefined && selected.has(site.name) && site.role !== 'head'

/** Every gain, shift and propagated scale at a state of training. */
export async function siteVectors(tuning: Tuning, heads: number, state: StepState, read: Read): Promise<SiteVector[]> {
  const kinds = gainKinds(tuning), slots = slotValues(tuning, state.values)
  const vectors: SiteVector[] = []
  for (const site of tuning.sites) {
    const kind = kinds.get(site.name)
    if (kind === 'pooled') vectors.push({ of: 'gain', site: site.name, values: state.buffers.get(tensorName(site.name, 'san_gamma'))! })
    if (mayShift(tuning, site) || (kind && kind !== 'pooled')) vectors.push(...ownVectors(tuning, site, kind, slots, await frozenOf(tuning, site, kind, read)))
  }
  const gains = new Map(vectors.filter(({ of }) => of === 'gain').map(({ site, values }) => [site, values]))
  return [...vectors, ...arriving(tuning, heads, slots, gains)]
}

function slotValues({ slots }: Tuning, flat: Float32Array): Map<string, Float32Array> {
  let at = 0
  return new Map(slots.map(slot => [slot.name, flat.subarray(at, at += count(slot.shape))]))
}

/** Only what the formula compares with: a large weight is read when its turn comes, and let go. */
async function frozenOf({ method }: Tuning, site: Site, kind: GainKind | undefined, read: Read): Promise<Map<string, Float32Array>> {
  const against = 'never' in method.san ? [] : method.san.against ?? []
  const wanted = kind === 'weight' || kind === 'magnitude' ? ['weight', ...against] : against
  const names = [...new Set(wanted)].filter(tensor => tensor in site.tensors)
  return new Map(await Promise.all(names.map(async tensor => [tensor, await read(tensorName(site.name, tensor))] as const)))
}

function ownVectors(tuning: Tuning, site: Site, kind: GainKind | undefined, slots: ReadonlyMap<string, Float32Array>, frozen: ReadonlyMap<string, Float32Array>): SiteVector[] {
  return tf.tidy(() => {
    const tensorOf = (data: Float32Array, shape: readonly number[]): Tensor => tf.tensor(data, [...shape])
    const values = new Map(tuning.slots.filter(slot => slot.site === site.name).map(slot => [slot.name, tensorOf(slots.get(slot.name)!, slot.shape)]))
    const original = new Map([...frozen].map(([tensor, data]) => [tensorName(site.name, tensor), tensorOf(data, site.tensors[tensor]!)]))
    const net = createNet(original, { ...tuning, san: null }, [site], evaluation(1, values, new Map()))
    const gain = kind && kind !== 'pooled' ? net.gainFromValues(site.name, kind) : null
    return [...vector('gain', site.name, gain), ...vector('shift', site.name, mayShift(tuning, site) ? net.shift(site.name) : null)]
  })
}

const vector = (of: SiteVector['of'], site: string, values: Tensor | null): SiteVector[] =>
  values ? [{ of, site, values: values.dataSync() as Float32Array }] : []

/** What SAN brings to each target, by the same propagation as in the forward pass. */
function arriving({ san, sites }: Tuning, heads: number, slots: ReadonlyMap<string, Float32Array>, gains: ReadonlyMap<string, Float32Array>): SiteVector[] {
  if (!san) return []
  return tf.tidy(() => {
    const gain = (site: string): Tensor => tf.tensor1d(gains.get(site)!)
    const source = { training: false, heads, fromValues: gain, buffer: gain, value: (slot: string): Tensor => tf.tensor1d(slots.get(slot)!) }
    // a gain per image is no one vector: its running average stands in
    const tuned = { ...san, config: { ...san.config, scope: 'batch' as const } }
    const propagator = createPropagator(tuned, source, name => sites.find(site => site.name === name)!.in)
    return [...new Set(san.propagations.map(path => path.to))].flatMap(to => {
      const { columns, rows } = propagator.into(to)
      return [...vector('columns', to, columns), ...vector('rows', to, rows)]
    })
  })
}
