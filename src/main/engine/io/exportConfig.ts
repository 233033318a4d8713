import type { VitShape } from '../../contract/model'
import { isDino, type TimmConfig } from './configs'
import type { Naming } from './keymaps/vit'
import type { OpenedModel } from './model'

/** How the run prepared its images, so that whoever loads the export does the same. */
export interface Preprocessing {
  resize: 'squash' | 'crop'
  cropFraction: number
  interpolation: 'bicubic' | 'bilinear'
  mean: readonly number[]
  std: readonly number[]
}
export interface ExportOptions { classes?: readonly string[]; preprocessing?: Preprocessing }

/** The names of the classes: those given, the source's own where it has as many, else numbers. */
function classNames(opened: OpenedModel, shape: VitShape, { classes }: ExportOptions): string[] | null {
  if (classes && classes.length === shape.classes) return [...classes]
  return opened.classes?.length === shape.classes ? opened.classes : null
}

type Loose = Record<string, unknown>
/** Where the source's weights came from is no longer true. */
const stale = ['hf_hub_id', 'hf_hub_filename', 'url', 'source', 'file', 'label_names', 'label_descriptions', 'label_offset', 'test_input_size', 'test_crop_pct', 'min_input_size']

export function timmConfig(opened: OpenedModel, shape: VitShape, options: ExportOptions): Loose {
  const { model_args, pretrained_cfg, label_names: _, label_descriptions: __, ...config } = opened.config as TimmConfig & Loose
  const side = [shape.imageSize, shape.imageSize], pool = shape.pool === 'cls' ? 'token' : 'avg', p = options.preprocessing
  const labels = classNames(opened, shape, options)
  const mean = shape.pool === 'mean' || opened.shape.pool === 'mean'
  return {
    ...config, num_classes: shape.classes, num_features: shape.width, global_pool: pool,
    ...(labels ? { label_names: labels } : {}),
    model_args: {
      ...model_args, num_classes: shape.classes, img_size: side, global_pool: pool,
      ...(mean ? { fc_norm: shape.poolNorm } : {}),
      ...(shape.qkvBias !== opened.shape.qkvBias ? { qkv_bias: shape.qkvBias } : {}),
    },
    pretrained_cfg: {
      ...Object.fromEntries(Object.entries(pretrained_cfg ?? {}).filter(([key]) => !stale.includes(key))),
      custom_load: false, num_classes: shape.classes, input_size: [3, ...side], interpolation: p?.interpolation ?? pretrained_cfg?.interpolation ?? 'bicubic',
      mean: p?.mean ?? opened.mean, std: p?.std ?? opened.std, first_conv: 'patch_embed.proj', classifier: shape.distillationHead ? ['head', 'head_dist'] : 'head',
      ...(p ? p.resize === 'squash' ? { crop_pct: 1, crop_mode: 'squash' } : { crop_pct: p.cropFraction, crop_mode: 'center' } : {}),
    },
  }
}

const classifiers = { vit: 'ViT', deit: 'DeiT', dinov2: 'Dinov2', dinov2_with_registers: 'Dinov2WithRegisters' } as const

export function hfConfig(opened: OpenedModel, shape: VitShape, naming: Naming & { format: 'transformers' }, options: ExportOptions): Loose {
  const { _name_or_path: _, torch_dtype: __, num_labels: ___, ...config } = opened.config as Loose
  const base = { ...config, dtype: 'float32', qkv_bias: shape.qkvBias, ...(isDino(naming.model) ? {} : { image_size: shape.imageSize }) }
  if (shape.classes === 0) return base
  const names = classNames(opened, shape, options) ?? Array.from({ length: shape.classes }, (_unused, i) => `LABEL_${i}`)
  return {
    ...base,
    architectures: [`${classifiers[naming.model]}ForImageClassification${naming.teacher ? 'WithTeacher' : ''}`],
    id2label: Object.fromEntries(names.map((name, i) => [i, name])), label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  }
}

/** Pillow's numbers for the ways of resampling. */
const resample = { bilinear: 2, bicubic: 3 }

export function preprocessorConfig(opened: OpenedModel, shape: VitShape, { preprocessing: p }: ExportOptions): Loose {
  if (!p && opened.preprocessor) return opened.preprocessor
  const side = { height: shape.imageSize, width: shape.imageSize }
  const common = {
    do_resize: true, resample: resample[p?.interpolation ?? 'bicubic'], do_rescale: true, rescale_factor: 1 / 255,
    do_normalize: true, image_mean: [...(p?.mean ?? opened.mean)], image_std: [...(p?.std ?? opened.std)], do_convert_rgb: true,
  }
  if (p?.resize !== 'crop') return { image_processor_type: 'ViTImageProcessor', ...common, size: side }
  return {
    image_processor_type: 'BitImageProcessor', ...common, do_center_crop: true, crop_size: side,
    size: { shortest_edge: Math.floor(shape.imageSize / p.cropFraction) },
  }
}
