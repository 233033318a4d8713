import type { Batch } from '../data/types'

/** One optimiser step, or one forward pass, on uint8 images. The eager and any compiled step offer the same. */
export interface Step {
  /** step counts from 0; several batches are accumulated into one update. */
  train(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult>
  /** logits [B, C], row-major. `indices` tell images apart where a step keeps what it computed of them. */
  predict(pixels: Uint8Array, images: number, indices?: Int32Array): Promise<Float32Array>
  /** Everything that training changes, by name; flat vectors are in the order of the slots. */
  state(): Promise<StepState>
  /** Running averages, by name. */
  averages(): Weights['buffers']
  /** Reads one trained tensor, or its moment, after another, by the slot's name: large ones are not all held at once. */
  reader(vector: Vector): (slot: string) => Float32Array
  /** Without moments those of before stay. */
  restore(state: Weights & Partial<Moments>): void
  dispose(): void
}
export interface StepResult { loss: number; correct: number; images: number; gradientNorm: number }
export type Vector = 'values' | 'm' | 'v'
export interface Weights { values: Float32Array; buffers: Map<string, Float32Array> }
export interface Moments { m: Float32Array; v: Float32Array }
export type StepState = Weights & Moments
