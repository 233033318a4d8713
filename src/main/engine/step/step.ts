import type { Batch } from '../data/types'

/** One optimiser step, or one forward pass, on uint8 images. The eager and any compiled step offer the same. */
export interface Step {
  /** step counts from 0; several batches are accumulated into one update. */
  train(batches: readonly Batch[], step: number, learningRate: number): Promise<StepResult>
  /** logits [B, C], row-major. `indices` tell images apart where a step keeps what it computed of them. */
  predict(pixels: Uint8Array, images: number, indices?: Int32Array): Promise<Float32Array>
  /** Everything that training changes, by name; flat vectors are in the order of the slots. */
  state(): Promise<StepState>
  restore(state: StepState): void
  dispose(): void
}
export interface StepResult { loss: number; correct: number; images: number; gradientNorm: number }
export interface StepState { values: Float32Array; m: Float32Array; v: Float32Array; buffers: Map<string, Float32Array> }
