import type { Shape } from '../../contract/model'
import type { Site } from '../sites'
import type { Stage } from './stage'
import * as vit from './vit'

/** A family of backbones: its table of layers, computed without a tensor, and its forward pass. */
export interface Backbone {
  sites(shape: Shape): Site[]
  /** the forward pass: pixels [B, H, W, 3] -> logits [B, classes] or, without a head, features [B, F] */
  stages(shape: Shape): Stage[]
  featureWidth(shape: Shape): number
  tokens(shape: Shape): number
}

const backbones: Record<Shape['family'], Backbone> = { vit }

export const backboneOf = (shape: Shape): Backbone => backbones[shape.family]
/** The same backbone with a fresh head of so many classes. */
export const withClasses = (shape: Shape, classes: number): Shape => ({ ...shape, classes, distillationHead: false, headBias: true })
