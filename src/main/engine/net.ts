import type { Channels, Coupling, GainPlace, Hooks, Layer } from './methods/define'
import { addBias, onChannels, scaleColumns, scaleRows } from './methods/rows'
import { linear, normalize } from './nn/ops'
import { magnitudeGain, weightGain } from './san/gains'
import { createPropagator, type GainSource, type Propagated, type Propagator } from './san/propagate'
import { tensorName, type Site } from './sites'
import { statelessUniform, tf, type Tensor } from './tf'
import type { Tuning } from './tuning'

/** What a backbone's forward pass calls; the only place that calls a method's hooks. */
export interface Net {
  /** x [..., in] -> [..., out] */
  linear(site: string, x: Tensor): Tensor
  norm(site: string, x: Tensor, epsilon: number): Tensor
  /** an embedding table or a layer scale */
  weight(site: string): Tensor
  /** x + branch, the branch dropped per sample in training; position: 0 at the first block, 1 at the last */
  residual(x: Tensor, branch: Tensor, position: number): Tensor
  dropout(x: Tensor): Tensor
  /** A part of the network; of what is made inside, only the result stays */
  part(compute: () => Tensor): Tensor
}

/** One forward pass: the values of the trained tensors, and what is random in it. */
export interface Pass {
  training: boolean
  /** int32 [2]; masks are pure functions of it. Only training draws any. */
  seed: Tensor | null
  dropPath: number
  dropout: number
  heads: number
  values: ReadonlyMap<string, Tensor>
  buffers: ReadonlyMap<string, Tensor>
  /** called where a stage begins */
  entering?(): void
}
export const evaluation = (heads: number, values: Pass['values'], buffers: Pass['buffers']): Pass =>
  ({ training: false, seed: null, dropPath: 0, dropout: 0, heads, values, buffers })

/** frozen: the backbone's tensors by `site.tensor`; those that are trained may be missing. */
export const createNet = (frozen: ReadonlyMap<string, Tensor>, tuning: Tuning | null, sites: readonly Site[], pass: Pass): TunedNet =>
  new TunedNet(frozen, tuning, new Map(sites.map(site => [site.name, site])), pass)

/** A backbone's layers with a method's hooks and SAN's scales on them, for one pass. */
export class TunedNet implements Net {
  readonly propagator: Propagator | null
  private readonly coupling: Coupling<never> | null
  private readonly hooksBySite = new Map<string, Hooks>()
  /** sites whose inputs come with their columns' scale on them; the site before has taken it on */
  readonly prescaled = new Set<string>()
  private draws = 0

  constructor(
    private readonly frozen: ReadonlyMap<string, Tensor>, private readonly tuning: Tuning | null,
    private readonly table: ReadonlyMap<string, Site>, private readonly pass: Pass,
  ) {
    this.coupling = tuning && !('never' in tuning.method.san) ? tuning.method.san : null
    this.propagator = tuning?.san ? createPropagator(tuning.san, this.gainSource(), site => table.get(site)!.in) : null
  }

  linear(name: string, x: Tensor): Tensor {
    const propagated = this.brought(name)
    // what is only needed inside goes at once; gradients keep what they need themselves
    const { y, gain } = tf.tidy(() => this.adapted(name, x, propagated) as never) as Adapted
    if (gain) this.propagator?.observe(name, gain)
    return y
  }

  norm(name: string, x: Tensor, epsilon: number): Tensor {
    return tf.tidy(() => {
      const { w, b } = this.layer(name), own = this.hooksOf(name)?.affine(w, b) ?? { w, b }
      return onChannels(normalize(x, epsilon), scaledBy({ scale: own.w, shift: own.b }, this.columnsAhead(name)))
    })
  }

  weight(name: string): Tensor {
    return this.layer(name).w
  }

  residual(x: Tensor, branch: Tensor, position: number): Tensor {
    return tf.add(x, this.drop(branch, this.pass.dropPath * position, [x.shape[0]!, ...x.shape.slice(1).map(() => 1)]))
  }

  dropout(x: Tensor): Tensor {
    return this.drop(x, this.pass.dropout, x.shape)
  }

  part(compute: () => Tensor): Tensor {
    return tf.tidy(compute)
  }

  /** To be called when the pass is over. */
  release(): void {
    this.propagator?.release()
  }

  /** A site's gain [out] as the trained values have it, no data needed. */
  gainFromValues(name: string, kind: 'own' | 'weight' | 'magnitude'): Tensor {
    const { method } = this.tuning!
    if (kind === 'own') {
      if (!this.coupling?.gain) throw new Error(`${method.id} has no gain of its own.`)
      return this.coupling.gain(this.valuesAt(name), this.placeOf(name))
    }
    const before = this.original(name, 'weight')
    const after = this.hooksOf(name)?.affine(before, this.find(name, 'bias')).w ?? this.tensor(name, 'weight')
    return kind === 'weight' ? weightGain(after, before) : magnitudeGain(after, before)
  }

  /** A site's shift [out], where the method has one. */
  shift(name: string): Tensor | null {
    return this.coupling?.shift?.(this.valuesAt(name), this.placeOf(name)) ?? null
  }

  /** The site's weights with method and propagated scales absorbed: what a merged export holds. */
  merged(name: string): { weight: Tensor; bias: Tensor | null } {
    const { columns, rows } = this.propagator?.into(name) ?? nothing
    const hooks = this.hooksOf(name), { w, b } = this.layer(name)
    const around = this.around(hooks, { columns, rows })
    const { w: after, b: bias } = hooks?.affine(scaledWeight(w, around.columns ? null : columns, around.rows ? null : rows), b)
      ?? { w: scaledWeight(w, columns, rows), b }
    return { weight: scaledWeight(after, around.columns, around.rows), bias }
  }

  /** The layer's output, and its measured gain where SAN asks for one. */
  private adapted(name: string, x: Tensor, propagated: Propagated): Adapted {
    const hooks = this.hooksOf(name), { w, b } = this.layer(name)
    const around = this.around(hooks, propagated)
    const inner = { columns: around.columns ? null : propagated.columns, rows: around.rows ? null : propagated.rows }
    let base: Tensor | null = null
    const layer: Layer = {
      linear: t => {
        const y = linear(inner.columns ? tf.mul(t, inner.columns) : t, w)
        base = inner.rows ? tf.mul(y, inner.rows) : y
        return base
      },
      weight: () => scaledWeight(w, inner.columns, inner.rows),
      bias: around.rows ? null : b,
      dropout: (t, rate) => this.drop(t, rate, t.shape),
    }
    const input = around.columns ? tf.mul(x, around.columns) : x
    const ahead = hooks?.channels && !around.rows && !this.propagator?.observes(name) ? this.columnsAhead(name) : null
    const y = hooks?.channels ? onChannels(layer.linear(input), scaledBy(hooks.channels(layer.bias), ahead))
      : hooks ? (hooks.forward?.(input, layer) ?? throughWeights(hooks, input, layer)) : addBias(layer.linear(input), layer.bias)
    let gain: Tensor | null = null
    if (this.propagator?.observes(name)) {
      const before = addBias(base ?? layer.linear(input), around.rows ? null : this.frozen.get(tensorName(name, 'bias')) ?? layer.bias)
      gain = this.propagator.pooled(before, tf.sub(y, before))
    }
    return { y: around.rows ? addBias(tf.mul(y, around.rows), b) : y, gain }
  }

  /** The scales that act on the whole adapted layer, and not on its frozen base. */
  private around(hooks: Hooks | null, { columns, rows }: Propagated): Propagated {
    const whole = (axis: 'columns' | 'rows') => hooks !== null && this.coupling?.[axis] === 'whole'
    return { columns: whole('columns') ? columns : null, rows: whole('rows') ? rows : null }
  }

  /** The scales that still have to act at a site. */
  private brought(name: string): Propagated {
    const propagated = this.propagator?.into(name) ?? nothing
    return this.prescaled.has(name) ? { ...propagated, columns: null } : propagated
  }

  /**
   * The scale of the columns that read this site's output, for the site to take on: where an exact edge carries it
   * unchanged, it is a product of two vectors here, and one of an activation there.
   */
  private columnsAhead(name: string): Tensor | null {
    const [edge, ...others] = this.table.get(name)!.feeds
    if (!edge?.exact || others.length > 0 || !this.propagator?.knows(edge.to) || !this.takesWholeInput(edge.to)) return null
    const { columns } = this.propagator.into(edge.to)
    if (columns) this.prescaled.add(edge.to)
    return columns
  }
  private takesWholeInput(name: string): boolean {
    const hooks = this.hooksOf(name)
    return this.table.get(name)!.role !== 'head' && (!hooks || !!hooks.channels || this.coupling?.columns === 'whole')
  }

  private layer(site: string): { w: Tensor; b: Tensor | null } {
    return { w: this.tensor(site, 'weight'), b: this.find(site, 'bias') }
  }
  private find(site: string, tensor: string): Tensor | null {
    const name = tensorName(site, tensor)
    return this.pass.values.get(name) ?? this.frozen.get(name) ?? null
  }
  private tensor(site: string, tensor: string): Tensor {
    const found = this.find(site, tensor)
    if (!found) throw new Error(`No tensor ${tensor} at site ${site}.`)
    return found
  }
  private original(site: string, tensor: string): Tensor {
    return this.frozen.get(tensorName(site, tensor)) ?? this.tensor(site, tensor)
  }

  private hooksOf(name: string): Hooks | null {
    if (!this.tuning?.method.hooks || !this.tuning.selected.has(name)) return null
    const before = this.hooksBySite.get(name)
    if (before) return before
    const hooks = this.tuning.method.hooks(this.valuesAt(name), { site: this.table.get(name)!, config: this.tuning.config })
    this.hooksBySite.set(name, hooks)
    return hooks
  }
  private valuesAt(site: string): Record<string, Tensor> {
    const slots = this.tuning!.slots.filter(slot => slot.site === site)
    return Object.fromEntries(slots.map(slot => [slot.tensor, this.pass.values.get(slot.name)!]))
  }

  private drop(x: Tensor, rate: number, shape: number[]): Tensor {
    if (!this.pass.training || rate === 0) return x
    if (!this.pass.seed) throw new Error('A training pass with masks needs a seed.')
    const seed = tf.add(this.pass.seed, tf.tensor1d([(0x9e3779b1 * ++this.draws) | 0, 0], 'int32'))
    const kept = tf.floor(tf.add(statelessUniform(shape, seed), 1 - rate))
    return tf.mul(x, tf.div(kept, 1 - rate))
  }

  private gainSource(): GainSource {
    return {
      training: this.pass.training, heads: this.pass.heads,
      fromValues: (name, kind) => this.gainFromValues(name, kind),
      buffer: site => this.pass.buffers.get(tensorName(site, 'san_gamma'))!,
      value: slot => this.pass.values.get(slot)!,
    }
  }
  private placeOf(name: string): GainPlace<never> {
    return { site: this.table.get(name)!, config: this.tuning!.config, frozen: tensor => this.original(name, tensor) }
  }
}

interface Adapted { y: Tensor; gain: Tensor | null }
const nothing: Propagated = { columns: null, rows: null }

const scaledBy = ({ scale, shift }: Channels, by: Tensor | null): Channels =>
  by ? { scale: tf.mul(scale, by), shift: shift && tf.mul(shift, by) } : { scale, shift }

/** diag(rows) W diag(columns). A scale per sample cannot be in a weight and is left out. */
function scaledWeight(w: Tensor, columns: Tensor | null, rows: Tensor | null): Tensor {
  const scaled = columns && columns.rank === 1 ? scaleColumns(w, columns) : w
  return rows && rows.rank === 1 ? scaleRows(scaled, rows) : scaled
}

function throughWeights(hooks: Hooks, x: Tensor, layer: Layer): Tensor {
  const { w, b } = hooks.affine(layer.weight(), layer.bias)
  return addBias(linear(x, w), b)
}
