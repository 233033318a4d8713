import type { Recipe } from '../../contract/recipe'
import { tf, type Tensor } from '../tf'

/** Moments of AdamW, each a vector [P]. */
export interface AdamState { m: Tensor; v: Tensor }
export type AdamOptions = Pick<Recipe['train'], 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'>
/** The learning rate and what corrects the moments' start at zero: 1 - βᵗ. Numbers, or tensors [] of a compiled step. */
export interface Rates { rate: Tensor | number; first: Tensor | number; second: Tensor | number }

/** step counts from 1. */
export const ratesAt = (step: number, rate: number, o: Pick<AdamOptions, 'beta1' | 'beta2'>): { rate: number; first: number; second: number } =>
  ({ rate, first: 1 - o.beta1 ** step, second: 1 - o.beta2 ** step })

/**
 * One step of AdamW (arXiv 1711.05101), bias-corrected, decay decoupled. All vectors [P]; `decayed` is 1 where decay
 * applies. Returns new tensors; the old ones stay the caller's.
 */
export function adamw(values: Tensor, gradient: Tensor, state: AdamState, decayed: Tensor, { rate, first, second }: Rates, o: AdamOptions): { values: Tensor } & AdamState {
  return tf.tidy(() => {
    const m = tf.add(tf.mul(state.m, o.beta1), tf.mul(gradient, 1 - o.beta1))
    const v = tf.add(tf.mul(state.v, o.beta2), tf.mul(tf.square(gradient), 1 - o.beta2))
    const denominator = tf.add(tf.sqrt(tf.div(v, second)), o.epsilon)
    const kept = o.weightDecay === 0 ? values : tf.sub(values, tf.mul(tf.mul(values, decayed), tf.mul(rate, o.weightDecay)))
    return { values: tf.sub(kept, tf.mul(tf.div(m, denominator), tf.div(rate, first))), m, v }
  })
}

/** The norm [] of all gradients together. */
export const globalNorm = (gradients: readonly Tensor[]): Tensor =>
  tf.tidy(() => tf.sqrt(gradients.map(g => tf.sum(tf.square(g)) as Tensor).reduce((a, b) => tf.add(a, b))))

/** A gradient scaled so that the norm of all is at most `limit`. */
export const clipped = (gradient: Tensor, norm: Tensor, limit: number | null): Tensor =>
  limit === null ? gradient : tf.mul(gradient, tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6))))
