import type { Hooks, Layer } from './methods/define'
import { addBias, scaleColumns, scaleRows } from './methods/rows'
import { linear, normalize } from './nn/ops'
import { magnitudeGain, weightGain } from './san/gains'
import { createPropagator, type Propagated, type Propagator } from './san/propagate'
import { tensorName, type Site } from './sites'
import { statelessUniform, tf, type Tensor } from './tf'
import type { Tuning } from './tuning'

/** What a backbone's forward pass calls; the only place that knows that hooks exist. */
export interface Net {
  /** x [..., in] -> [..., out] */
  linear(site: string, x: Tensor): Tensor
  norm(site: string, x: Tensor, epsilon: number): Tensor
  /** an embedding table or a layer scale */
  weight(site: string): Tensor
  /** x + branch, the branch dropped per sample in training; position: 0 at the first block, 1 at the last */
  residual(x: Tensor, branch: Tensor, position: number): Tensor
  dropout(x: Tensor): Tensor
}

/** One forward pass: the values of the trained tensors, and what is random in it. */
export interface Pass {
  training: boolean
  /** two int32; masks are pure functions of it */
  seed: readonly [number, number]
  dropPath: number
  dropout: number
  heads: number
  values: ReadonlyMap<string, Tensor>
  buffers: ReadonlyMap<string, Tensor>
}
export const evaluation = (heads: number, values: Pass['values'], buffers: Pass['buffers']): Pass =>
  ({ training: false, seed: [0, 0], dropPath: 0, dropout: 0, heads, values, buffers })

export interface TunedNet extends Net {
  propagator: Propagator | null
  /** The site's weights with method and propagated scales absorbed: what a merged export holds. */
  merged(site: string): { weight: Tensor; bias: Tensor | null }
}

/** frozen: the backbone's tensors by `site.tensor`; those that are trained may be missing. */
export function createNet(frozen: ReadonlyMap<string, Tensor>, tuning: Tuning | null, sites: readonly Site[], pass: Pass): TunedNet {
  const table = new Map(sites.map(site => [site.name, site]))
  const hooksBySite = new Map<string, Hooks>()
  let draws = 0

  const optional = (site: string, tensor: string): Tensor | null => {
    const name = tensorName(site, tensor)
    return pass.values.get(name) ?? frozen.get(name) ?? null
  }
  const tensor = (site: string, name: string): Tensor => {
    const found = optional(site, name)
    if (!found) throw new Error(`No tensor ${name} at site ${site}.`)
    return found
  }
  const original = (site: string, name: string): Tensor => frozen.get(tensorName(site, name)) ?? tensor(site, name)

  function hooksOf(name: string): Hooks | null {
    if (!tuning?.method.hooks || !tuning.selected.has(name)) return null
    const before = hooksBySite.get(name)
    if (before) return before
    const hooks = tuning.method.hooks(valuesAt(name), { site: table.get(name)!, config: tuning.config })
    hooksBySite.set(name, hooks)
    return hooks
  }
  function valuesAt(site: string): Record<string, Tensor> {
    const slots = tuning!.slots.filter(slot => slot.site === site)
    return Object.fromEntries(slots.map(slot => [slot.tensor, pass.values.get(slot.name)!]))
  }

  const uniform = (shape: number[]) => statelessUniform(shape, [(pass.seed[0] + 0x9e3779b1 * ++draws) | 0, pass.seed[1]])
  function drop(x: Tensor, rate: number, shape: number[]): Tensor {
    if (!pass.training || rate === 0) return x
    const kept = tf.floor(tf.add(uniform(shape), 1 - rate))
    return tf.mul(x, tf.div(kept, 1 - rate))
  }

  function gainFromValues(name: string, kind: 'own' | 'weight' | 'magnitude'): Tensor {
    const site = table.get(name)!, { method, config } = tuning!
    if (kind === 'own') {
      if ('never' in method.san || !method.san.gain) throw new Error(`${method.id} has no gain of its own.`)
      return method.san.gain(valuesAt(name), { site, config, frozen: t => original(name, t) })
    }
    const before = original(name, 'weight')
    const after = hooksOf(name)?.affine(before, optional(name, 'bias')).w ?? tensor(name, 'weight')
    return kind === 'weight' ? weightGain(after, before) : magnitudeGain(after, before)
  }

  const propagator = tuning?.san
    ? createPropagator(tuning.san, {
      training: pass.training, heads: pass.heads, fromValues: gainFromValues,
      buffer: site => pass.buffers.get(tensorName(site, 'san_gamma'))!,
      value: slot => pass.values.get(slot)!,
    }, site => table.get(site)!.in)
    : null
  const coupling = tuning && !('never' in tuning.method.san) ? tuning.method.san : null
  const nothing: Propagated = { columns: null, rows: null }

  /** The layer's output, and its measured gain where SAN asks for one. */
  function adapted(name: string, x: Tensor, { columns, rows }: Propagated): { y: Tensor; gain: Tensor | null } {
    const hooks = hooksOf(name), w = tensor(name, 'weight'), b = optional(name, 'bias')
    const wholeColumns = columns && hooks && coupling?.columns === 'whole', wholeRows = rows && hooks && coupling?.rows === 'whole'
    const baseColumns = wholeColumns ? null : columns, baseRows = wholeRows ? null : rows
    let base: Tensor | null = null
    const layer: Layer = {
      linear: t => {
        const y = linear(baseColumns ? tf.mul(t, baseColumns) : t, w)
        base = baseRows ? tf.mul(y, baseRows) : y
        return base
      },
      weight: () => scaledWeight(w, baseColumns, baseRows),
      bias: wholeRows ? null : b,
      dropout: (t, rate) => drop(t, rate, t.shape),
    }
    const input = wholeColumns ? tf.mul(x, columns) : x
    let y = hooks ? (hooks.forward?.(input, layer) ?? throughWeights(hooks, input, layer)) : addBias(layer.linear(input), layer.bias)
    let gain: Tensor | null = null
    if (propagator?.observes(name)) {
      const before = addBias(base ?? layer.linear(input), wholeRows ? null : frozen.get(tensorName(name, 'bias')) ?? layer.bias)
      gain = propagator.pooled(before, tf.sub(y, before))
    }
    if (wholeRows) y = addBias(tf.mul(y, rows), b)
    return { y, gain }
  }

  return {
    propagator,
    linear(name, x) {
      const propagated = propagator?.into(name) ?? nothing
      // what is only needed inside goes at once; gradients keep what they need themselves
      const { y, gain } = tf.tidy(() => adapted(name, x, propagated) as never) as ReturnType<typeof adapted>
      if (gain) propagator?.observe(name, gain)
      return y
    },
    norm: (name, x, epsilon) => tf.tidy(() => {
      const w = tensor(name, 'weight'), b = optional(name, 'bias')
      const own = hooksOf(name)?.affine(w, b) ?? { w, b }
      return addBias(tf.mul(normalize(x, epsilon), own.w), own.b)
    }),
    weight: name => tensor(name, 'weight'),
    residual(x, branch, position) {
      const shape = [x.shape[0]!, ...x.shape.slice(1).map(() => 1)]
      return tf.add(x, drop(branch, pass.dropPath * position, shape))
    },
    dropout: x => drop(x, pass.dropout, x.shape),
    merged(name) {
      const { columns, rows } = propagator?.into(name) ?? nothing
      const hooks = hooksOf(name), w = tensor(name, 'weight'), b = optional(name, 'bias')
      const whole = (axis: 'columns' | 'rows') => hooks && coupling?.[axis] === 'whole'
      const before = scaledWeight(w, whole('columns') ? null : columns, whole('rows') ? null : rows)
      const { w: after, b: bias } = hooks?.affine(before, b) ?? { w: before, b }
      return { weight: scaledWeight(after, whole('columns') ? columns : null, whole('rows') ? rows : null), bias }
    },
  }
}

/** diag(rows) W diag(columns). A scale per sample cannot be in a weight and is left out. */
function scaledWeight(w: Tensor, columns: Tensor | null, rows: Tensor | null): Tensor {
  const scaled = columns && columns.rank === 1 ? scaleColumns(w, columns) : w
  return rows && rows.rank === 1 ? scaleRows(scaled, rows) : scaled
}

function throughWeights(hooks: Hooks, x: Tensor, layer: Layer): Tensor {
  const { w, b } = hooks.affine(layer.weight(), layer.bias)
  return addBias(linear(x, w), b)
}
