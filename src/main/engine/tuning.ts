import type { GainKind } from '../contract/engram'
import type { Method, Param } from './methods/define'
import { ones } from './methods/define'
import { pathsOf, type Propagation } from './san/topology'
import { topologyOf, type SanConfig } from './san/config'
import { count, tensorName, type Site } from './sites'

/** One trained tensor. All of them lie one after another in a single flat vector, in the order of this list. */
export interface Slot {
  name: string
  site: string
  tensor: string
  shape: readonly number[]
  /** added by the method, one of the backbone's own, or of the task head */
  kind: 'added' | 'own' | 'head'
  /** whether weight decay applies: not to vectors, embeddings and norms */
  decay: boolean
  param: Param | null
}

export interface SanTuning {
  config: SanConfig
  propagations: Propagation[]
  /** paths that the topology asks for and that fall out because widths differ */
  refused: Propagation[]
  /** sites whose gain is propagated somewhere */
  gains: Map<string, GainKind>
  /** running averages of measured gains, by source site: name and width */
  buffers: { name: string; site: string; width: number }[]
  /** target site -> name of the slot with its extra multiplier (preset official-2024-resize) */
  extra: Map<string, string>
}

/** A method bound to a backbone's sites: what is trained, where it hooks in, and what SAN propagates. No tensor. */
export interface Tuning {
  method: Method
  config: never
  sites: Site[]
  selected: Set<string>
  slots: Slot[]
  san: SanTuning | null
}

export function createTuning(sites: Site[], method: Method, config: unknown, san: SanConfig | null, patterns: readonly string[] = ['*']): Tuning {
  const typed = config as never
  const selected = sites.filter(site => site.role !== 'head' && matches(site.name, patterns) && method.selects(site, typed))
  const sanTuning = san && !('never' in method.san) ? tuneSan(sites, selected, method, typed, san) : null
  const slots = sites.flatMap(site => site.role === 'head' ? headSlots(site)
    : [...(selected.includes(site) ? methodSlots(site, method, typed) : []), ...extraSlots(site, sanTuning)])
  return { method, config: typed, sites, selected: new Set(selected.map(s => s.name)), slots, san: sanTuning }
}

export const trainableCount = (tuning: Pick<Tuning, 'slots'>): number => tuning.slots.reduce((n, slot) => n + count(slot.shape), 0)

/** Glob over site names: * is any run of characters. */
export function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.some(p => new RegExp(`^${p.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(name))
}

const decays = (site: Site, shape: readonly number[]): boolean => shape.length > 1 && site.kind !== 'embed'

const headSlots = (site: Site): Slot[] => Object.entries(site.tensors).map(([tensor, shape]) =>
  ({ name: tensorName(site.name, tensor), site: site.name, tensor, shape, kind: 'head', decay: decays(site, shape), param: null }))

function methodSlots(site: Site, method: Method, config: never): Slot[] {
  const own = (method.unfreeze?.(site, config) ?? []).filter(tensor => tensor in site.tensors).map((tensor): Slot => {
    const shape = site.tensors[tensor]!
    return { name: tensorName(site.name, tensor), site: site.name, tensor, shape, kind: 'own', decay: decays(site, shape), param: null }
  })
  const added = Object.entries(method.params?.(site, config) ?? {}).map(([tensor, param]): Slot =>
    ({ name: tensorName(site.name, tensor), site: site.name, tensor, shape: param.shape, kind: 'added', decay: decays(site, param.shape), param }))
  return [...own, ...added]
}

function tuneSan(sites: Site[], selected: Site[], method: Method, config: never, san: SanConfig): SanTuning {
  const coupling = method.san
  if ('never' in coupling) throw new Error('unreachable: the caller checked')
  const sources = selected.filter(site => coupling.gains?.(site, config) ?? true)
  const { propagations: paths, refused } = pathsOf(sites, sources, san, coupling)
  const gains = new Map(paths.flatMap(p => p.from).map(name => [name, gainKind(san, Boolean(coupling.gain))]))
  const buffers = [...gains].filter(([, kind]) => kind === 'pooled').map(([site]) =>
    ({ name: tensorName(site, 'san_gamma'), site, width: sites.find(s => s.name === site)!.out }))
  return { config: san, propagations: paths, refused, gains, buffers, extra: extraTargets(paths, san) }
}

function gainKind(san: SanConfig, hasOwn: boolean): GainKind {
  if (san.gamma === 'auto') return hasOwn ? 'own' : 'pooled'
  if (san.gamma === 'own') return hasOwn ? 'own' : 'pooled'
  return san.gamma === 'ema' ? 'pooled' : san.gamma
}

/** q, k and v share one extra vector: the 2024 code has one per fused projection. */
function extraTargets(paths: readonly Propagation[], san: SanConfig): Map<string, string> {
  if (!topologyOf(san).extra) return new Map()
  return new Map(paths.filter(p => p.axis === 'input').map(p => [p.to, tensorName(p.to.replace(/\.[kv]$/, '.q'), 'san_extra')]))
}

function extraSlots(site: Site, san: SanTuning | null): Slot[] {
  const name = tensorName(site.name, 'san_extra')
  if (!san || ![...san.extra.values()].includes(name)) return []
  const param = { shape: [site.in], init: ones }
  return [{ name, site: site.name, tensor: 'san_extra', shape: param.shape, kind: 'added', decay: false, param }]
}
