import type { AdapterRead } from '../../src/main/engine/io/adapter'
import type { OpenedModel } from '../../src/main/engine/io/model'
import { sites as vitSites } from '../../src/main/engine/backbones/vit'
import { loadModel, run, viewsOf } from '../../src/main/engine/model'
import { evaluation } from '../../src/main/engine/net'
import { tf, type Tensor } from '../../src/main/engine/tf'
import { createTuning } from '../../src/main/engine/tuning'

/** Outputs of a backbone with an imported adapter. */
export async function adaptedOutputs(opened: OpenedModel, adapter: AdapterRead, pixels: Tensor): Promise<Float32Array> {
  const { shape, values, replaced } = adapter
  const tuning = createTuning(vitSites(shape), adapter.method, adapter.config, null, adapter.sites)
  const read = async (name: string) => replaced.get(name) ?? opened.read(name)
  const model = await loadModel(shape, read)
  const parts = await Promise.all(tuning.slots.map(async slot => values.get(slot.name) ?? read(slot.name)))
  const flat = Float32Array.from(parts.flatMap(part => [...part]))
  const out = tf.tidy(() => run(model, tuning, evaluation(shape.heads, viewsOf(tf.tensor1d(flat), tuning.slots), new Map()), pixels).output.dataSync() as Float32Array)
  model.dispose()
  return out
}
