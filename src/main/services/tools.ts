import { dirname, resolve } from 'node:path'
import type { CheckpointChoice } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import { findCheckpoint } from '../store/checkpoints'
import { entryAt } from '../store/files'
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
      const missing = files.find(file => !entryAt(resolve(file)))
      if (missing !== undefined) throw new AppError('not-found', `${resolve(missing)} does not exist; give images that are there.`)
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
        input: resolve(input), output: placeFor(output),
      }
      if (!entryAt(job.input)) throw new AppError('not-found', `${job.input} does not exist; --input needs a safetensors file with pixel_values.`, { field: 'input' })
      return host.start({ kind: 'logits', input: job }, options)
    },
  }
}

/** Refused before anything is computed. */
function placeFor(output: string): string {
  const path = resolve(output)
  if (entryAt(path)?.isDirectory()) throw new AppError('bad-input', `${path} is a folder; --output needs the name of a file.`, { field: 'output' })
  if (!entryAt(dirname(path))?.isDirectory()) throw new AppError('bad-input', `There is no folder ${dirname(path)} for --output; make it first.`, { field: 'output' })
  return path
}
