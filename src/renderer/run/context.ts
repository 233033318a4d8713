import type { CheckpointCard } from '@contract/checkpoint'
import type { RunCard, RunManifest } from '@contract/run'
import { inject, provide, type ComputedRef, type InjectionKey, type Ref, type ShallowRef } from 'vue'
import type { RunHistory } from '../history/runHistory'

/** What every tab of a run's page shows parts of. `version` rises when the history grew. */
export interface RunContext {
  card: ComputedRef<RunCard>
  manifest: ShallowRef<RunManifest | null>
  history: ShallowRef<RunHistory>
  version: Ref<number>
  /** as they lie on disk, by rising step; pruned ones are not among them */
  checkpoints: ShallowRef<CheckpointCard[]>
  reloadCheckpoints(): Promise<void>
}
const key: InjectionKey<RunContext> = Symbol('run')

export const provideRun = (context: RunContext) => provide(key, context)

export function useRun(): RunContext {
  const context = inject(key)
  if (!context) throw new Error('useRun outside of a run page')
  return context
}
