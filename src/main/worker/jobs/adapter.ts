import { shownNames } from '../../contract/classNames'
import { backboneOf } from '../../engine/backbones/index'
import { readAdapter, writeAdapter, type AdapterFiles } from '../../engine/io/adapter'
import type { Files } from '../../engine/io/bytes'
import type { OpenedModel } from '../../engine/io/model'
import { headsOf, loadModel, run, viewsOf } from '../../engine/model'
import { createNet, evaluation } from '../../engine/net'
import { count } from '../../engine/sites'
import type { StepState } from '../../engine/step/step'
import { tf, type Tensor } from '../../engine/tf'
import { createTuning, type Tuning } from '../../engine/tuning'
import type { Runnable } from './logits'
import { withHead, type Session } from './session'

/** A backbone with an adapter on it, in PEFT's layout or Engram's own. */
export async function adapted(opened: OpenedModel, files: Files, imageSize?: number): Promise<Runnable> {
  const read = await readAdapter(files, opened)
  const shape = { ...read.shape, imageSize: imageSize ?? read.shape.imageSize }
  const tuning = createTuning(backboneOf(shape).sites(shape), read.method, read.config, null, read.sites)
  const model = await loadModel(shape, withHead(opened.read, read.replaced))
  const shapes = new Map(tuning.slots.map(slot => [slot.name, slot.shape]))
  const values = new Map([...read.values].map(([name, data]) => [name, tf.tensor(data, [...shapes.get(name) ?? [data.length]])]))
  return {
    classes: shape.classes,
    forward: pixels => run(model, tuning, evaluation(headsOf(shape), values, new Map()), pixels).output,
    dispose() {
      model.dispose()
      tf.dispose([...values.values()])
    },
  }
}

/** A run's trained tensors as adapter files; what SAN propagated goes with them as fixed scales. */
export function adapterFiles(session: Session, state: StepState): Promise<AdapterFiles> {
  const { model, tuning, opened, resolved, manifest, preprocessing } = session
  const { resize, interpolation, cropFraction } = resolved.recipe.data, { mean, std } = preprocessing
  return writeAdapter(opened, {
    shape: model.shape, method: tuning.method, config: resolved.settings.config, values: byName(tuning, state.values),
    san: tuning.san && { config: tuning.san.config, scales: propagatedScales(session, state) },
    classes: shownNames(manifest.resolved), preprocessing: { mean, std, resize, interpolation, cropFraction }, base: manifest.resolved.backbonePath,
  })
}

/** The flat vector of trained values, cut up by slot. */
export function byName(tuning: Tuning, flat: Float32Array): Map<string, Float32Array> {
  let at = 0
  return new Map(tuning.slots.map(slot => [slot.name, flat.slice(at, at += count(slot.shape))]))
}

function propagatedScales({ model, tuning }: Session, state: StepState): Map<string, { columns: Float32Array | null; rows: Float32Array | null }> {
  const numbers = (t: Tensor | null) => t && t.dataSync() as Float32Array
  return tf.tidy(() => {
    const buffers = new Map([...state.buffers].map(([name, data]) => [name, tf.tensor1d(data) as Tensor]))
    const net = createNet(model.frozen, tuning, model.sites, evaluation(headsOf(model.shape), viewsOf(tf.tensor1d(state.values), tuning.slots), buffers))
    const targets = [...new Set([...tuning.san!.propagations.map(p => p.to), ...tuning.san!.extra.keys()])]
    return new Map(targets.map(site => {
      const { columns, rows } = net.propagator!.into(site)
      return [site, { columns: numbers(columns), rows: numbers(rows) }]
    })) as never
  })
}
