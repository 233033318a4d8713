import type { VitShape } from '../../contract/model'
import { count } from '../sites'
import { jsonFile, type OutFile } from './bytes'
import { hfConfig, timmConfig, preprocessorConfig, type ExportOptions } from './exportConfig'
import { express, type Expressed } from './express'
import { keyMap, type Place } from './keymaps/vit'
import type { OpenedModel } from './model'
import { safetensorsFile, type TensorToWrite } from './safetensors'
import { isDino } from './configs'

export type { ExportOptions } from './exportConfig'

export interface Exported {
  files: OutFile[]
  format: 'timm' | 'transformers'
  /** the lines that load the folder in Python */
  python: string
}

/**
 * A tuned model as a folder that the source's own library loads. `tensors`: everything that differs from the source, by
 * Engram's names, in the run's `shape`; the head among them.
 */
export async function exportMerged(opened: OpenedModel, shape: VitShape, tensors: ReadonlyMap<string, Float32Array>, options: ExportOptions = {}): Promise<Exported> {
  const expressed = await express(opened, shape, tensors)
  const weights = safetensorsFile('model.safetensors', [...tensorsToWrite(opened, expressed), ...extras(opened, expressed)])
  if (expressed.naming.format !== 'transformers') {
    const python = "import timm\nmodel = timm.create_model('local-dir:FOLDER', pretrained=True).eval()"
    return { files: [jsonFile('config.json', timmConfig(opened, expressed.shape, options)), weights], format: 'timm', python }
  }
  const config = hfConfig(opened, expressed.shape, expressed.naming, options)
  const python = 'from transformers import AutoImageProcessor, AutoModelForImageClassification\n'
    + "processor = AutoImageProcessor.from_pretrained('FOLDER')\nmodel = AutoModelForImageClassification.from_pretrained('FOLDER').eval()"
  return {
    files: [jsonFile('config.json', config), jsonFile('preprocessor_config.json', preprocessorConfig(opened, expressed.shape, options)), weights],
    format: 'transformers', python,
  }
}

/** One entry per stored tensor: sites that lie together in the library are put together again. */
function tensorsToWrite(opened: OpenedModel, { shape, naming, changed }: Expressed): TensorToWrite[] {
  const byKey = new Map<string, { place: Place; names: string[] }>()
  for (const [name, place] of keyMap(shape, naming).places) {
    const entry = byKey.get(place.key) ?? { place, names: [] }
    entry.names.push(name)
    byKey.set(place.key, entry)
  }
  return [...byKey].map(([key, { place, names }]) => ({
    name: key, dtype: 'F32', shape: place.shape,
    data: async () => {
      const parts = await Promise.all(names.map(name => changed.get(name) ?? opened.read(name)))
      return parts.length === 1 ? parts[0]! : joined(parts, count(place.shape))
    },
  }))
}

function joined(parts: readonly Float32Array[], length: number): Float32Array {
  const whole = new Float32Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** What transformers wants in the file beside the computation: a mask token, the pooler of a bare model. */
function extras(opened: OpenedModel, { shape, naming }: Expressed): TensorToWrite[] {
  if (naming.format !== 'transformers' || opened.naming.format !== 'transformers') return []
  const from = opened.naming.prefix
  const kept = opened.unused.filter(key => key.endsWith('embeddings.mask_token') || (naming.prefix === from && key.includes('pooler.')))
  const copies = kept.map((key): TensorToWrite => {
    const tensor = opened.stored.get(key)!
    return { name: naming.prefix + key.slice(from.length), dtype: 'F32', shape: tensor.shape, data: () => tensor.read() }
  })
  if (!isDino(naming.model) || opened.config.use_mask_token === false || copies.some(({ name }) => name.endsWith('mask_token'))) return copies
  return [...copies, { name: `${naming.prefix}embeddings.mask_token`, dtype: 'F32', shape: [1, shape.width], data: new Float32Array(shape.width) }]
}
