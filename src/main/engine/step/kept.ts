import type { Recipe } from '../../contract/recipe'
import { backboneOf } from '../backbones/index'
import type { Model } from '../model'
import { count } from '../sites'
import type { Tuning } from '../tuning'

/** Up to the first trained stage an image gives the same each time: it is computed once and kept. */
export interface KeptPlan { from: number; stage: string; bytes: number }

/** Null where something random comes before the first trained stage, nothing does, or it would take more than `budget` bytes. */
export function planKept({ shape }: Pick<Model, 'shape'>, tuning: Tuning, train: Recipe['train'], images: number, budget: number): KeptPlan | null {
  if (train.augment !== 'none' || train.dropout > 0 || train.dropPath > 0) return null
  const stages = backboneOf(shape).stages(shape), touched = new Set([...tuning.selected, ...tuning.slots.map(slot => slot.site)])
  const from = stages.findIndex(stage => tuning.sites.some(site => touched.has(site.name) && stage.owns(site)))
  if (from <= 0) return null
  const bytes = 4 * images * count(stages[from]!.entering)
  return bytes <= budget ? { from, stage: stages[from]!.name, bytes } : null
}

/** Activations by image number, each as it enters the first trained stage. */
export class KeptActivations {
  private readonly byImage = new Map<number, Float32Array>()

  constructor(private readonly size: number) {}

  /** [B, size], or null if one of them is not there yet. */
  find(indices: Int32Array): Float32Array | null {
    const out = new Float32Array(indices.length * this.size)
    for (const [i, image] of indices.entries()) {
      const found = this.byImage.get(image)
      if (!found) return null
      out.set(found, i * this.size)
    }
    return out
  }
  keep(indices: Int32Array, activations: Float32Array): void {
    indices.forEach((image, i) => this.byImage.set(image, activations.slice(i * this.size, (i + 1) * this.size)))
  }
}
