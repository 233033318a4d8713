import { resolve } from 'node:path'
import type { CheckpointChoice } from '../contract/checkpoint'
import { findCheckpoint } from '../store/checkpoints'
import type { TrainerOptions } from '../worker/host'
import type { Deps } from './deps'
import { find } from './library'

export interface PredictRequest { run: string | null; checkpoint: CheckpointChoice; model: string | null; files: string[] }
export interface LogitsRequest { model: string; adapter: string | null; input: string; output: string }

/** What the command line offers beyond the window: predictions and raw tensors, also of models that no run made. */
export function createTools(deps: Deps) {
  const { store, workspace, host } = deps
  return {
    async predict({ run, checkpoint, model, files }: PredictRequest, options: TrainerOptions = {}) {
      if (run !== null) {
        store.manifest(run)
        findCheckpoint(store.folder(run), checkpoint)
      }
      const input = {
        runFolder: run === null ? null : store.folder(run), checkpoint, workspace: workspace.root,
        model: model === null ? null : find(deps, 'backbones', model, [process.cwd()]).path,
        files: files.map(file => resolve(file)), withBase: false, skipBroken: false,
      }
      return host.start({ kind: 'predict', input }, options)
    },
    async logits({ model, adapter, input, output }: LogitsRequest, options: TrainerOptions = {}) {
      const job = {
        model: find(deps, 'backbones', model, [process.cwd()]).path, adapter: adapter === null ? null : resolve(adapter),
        input: resolve(input), output: resolve(output),
      }
      return host.start({ kind: 'logits', input: job }, options)
    },
  }
}
