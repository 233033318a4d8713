import { stopGradient, tf, type Tensor } from '../tf'
import type { SanTuning } from '../tuning'
import { gainPenalty, poolGain, resizeVector } from './gains'

/** What propagation asks of the network it runs in. */
export interface GainSource {
  training: boolean
  heads: number
  /** the method's own gain, or one derived from weights, at a source site */
  fromValues(site: string, kind: 'own' | 'weight' | 'magnitude'): Tensor
  buffer(site: string): Tensor
  value(slot: string): Tensor
}

/** The scale that SAN brings to a site: [in] or [B, 1, in] for columns, [out] or [B, 1, out] for rows. */
export interface Propagated { columns: Tensor | null; rows: Tensor | null }

export interface Propagator {
  into(site: string): Propagated
  /** Whether all the gains that come to a site are known by now. */
  knows(site: string): boolean
  /** Whether the outputs of a site must be shown to `observe`. */
  observes(site: string): boolean
  /** frozen: the site's output before the method's change, bias included; change: what the method added to it */
  pooled(frozen: Tensor, change: Tensor): Tensor
  observe(site: string, gain: Tensor): void
  /** λ Σ ‖γ − 1‖² over the propagated gains, or null when λ is 0 */
  penalty(): Tensor | null
  /** gains measured in this pass, by source site, for the running averages */
  measured(): Map<string, Tensor>
  /** Lets go of the measured gains, once the pass is over. */
  release(): void
}

export function createPropagator(san: SanTuning, source: GainSource, widthIn: (site: string) => number): Propagator {
  const { config } = san
  const live = (source.training && config.scope !== 'ema') || config.scope === 'sample'
  const held = (g: Tensor): Tensor => config.detach ? stopGradient(g) : g
  const observed = new Map<string, Tensor>()
  const known = new Map<string, Tensor>()
  for (const [site, kind] of san.gains) {
    if (kind !== 'pooled') known.set(site, tf.tidy(() => held(source.fromValues(site, kind))))
    else if (!live) known.set(site, source.buffer(site))
  }
  const incoming = new Map<string, SanTuning['propagations']>()
  for (const p of san.propagations) incoming.set(p.to, [...(incoming.get(p.to) ?? []), p])

  const gain = (site: string): Tensor => known.get(site) ?? held(observed.get(site)!)

  const mapped = (p: SanTuning['propagations'][number]): Tensor => {
    if (p.map === 'interp') return resizeVector(tf.concat(p.from.map(gain)), widthIn(p.to))
    const g = gain(p.from[0]!)
    return p.map === 'headmean' ? headMean(g, source.heads) : g
  }
  const product = (factors: Tensor[]): Tensor | null => factors.length === 0 ? null : factors.reduce((a, b) => tf.mul(a, b))

  return {
    into(site) {
      const paths = incoming.get(site) ?? []
      const extra = san.extra.get(site)
      const along = (axis: 'input' | 'output') => paths.filter(p => p.axis === axis).map(mapped)
      return { columns: product([...along('input'), ...(extra ? [source.value(extra)] : [])]), rows: product(along('output')) }
    },
    knows: site => (incoming.get(site) ?? []).every(p => p.from.every(source => known.has(source) || observed.has(source))),
    observes: site => san.gains.get(site) === 'pooled' && (source.training || live),
    pooled: (frozen, change) => poolGain(config.pool, frozen, change, config.scope === 'sample'),
    // kept: it is made inside one block's scope and read in another's
    observe: (site, gain) => void observed.set(site, tf.keep(gain)),
    penalty() {
      if (config.lambda === 0) return null
      const gains = [...san.gains.keys()].map(site => observed.get(site) ?? gain(site))
      return gains.length === 0 ? null : tf.mul(gainPenalty(gains), config.lambda)
    },
    measured: () => observed,
    release() {
      tf.dispose([...observed.values()])
      observed.clear()
    },
  }
}

/** Every head's channels replaced by their mean over the heads. */
function headMean(g: Tensor, heads: number): Tensor {
  const lead = g.shape.slice(0, -1), width = g.shape[g.rank - 1]!
  const mean = tf.mean(g.reshape([...lead, heads, width / heads]), -2)
  return tf.tile(mean, [...lead.map(() => 1), heads])
}
