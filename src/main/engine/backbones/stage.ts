import type { Net } from '../net'
import type { Site } from '../sites'
import type { Tensor } from '../tf'

/** One part of a backbone's forward pass; the parts follow each other, each taking what the one before gave. */
export interface Stage {
  name: string
  /** what enters it, an image: [H, W, 3] pixels, [T, d] tokens or [F] features */
  entering: readonly number[]
  owns(site: Site): boolean
  run(net: Net, x: Tensor): Tensor
}
