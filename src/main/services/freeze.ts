import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { AppError } from '../contract/errors'
import type { RunManifest } from '../contract/run'
import { hashModel } from '../store/modelHash'
import type { Deps } from './deps'
import type { Prepared } from './planning'

export type Frozen = Parameters<Deps['store']['create']>[0]

/** What run.json will hold: the whole recipe, and what it meant at this moment. */
export async function freeze({ resolved, backbone, data, facts, names, plan }: Prepared, version: string): Promise<Frozen> {
  const { recipe, learningRate } = resolved
  const method = `${recipe.method.type}${recipe.method.san ? ' san' : ''}`
  const nameOf = (id: string | null, path: string) => id ?? basename(path).replace(/\.\w+$/, '')
  return {
    recipe: {
      ...recipe,
      name: recipe.name || `${nameOf(data.id, data.path)} ${method} ${nameOf(backbone.id, backbone.path)}`.slice(0, 120),
      backbone: { ...recipe.backbone, from: backbone.id ?? backbone.path },
      data: { ...recipe.data, from: data.id ?? data.path },
    },
    resolved: {
      backbonePath: backbone.path, backboneHash: await hashModel(backbone.path), dataPath: data.path, dataHash: facts.fingerprint,
      classes: [...facts.classes], ...(names.every((name, i) => name === facts.classes[i]) ? {} : { names }), trainable: plan.trainable.total, learningRate,
    },
    versions: versions(version),
  }
}

function versions(engram: string): Record<string, string> {
  const { node, electron } = process.versions
  return { engram, node, ...(electron ? { electron } : {}), ...packageVersion('@tensorflow/tfjs-node-gpu') }
}

/** Read from its package.json: loading it is the trainer's alone. */
function packageVersion(name: string): Record<string, string> {
  try {
    const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string }
    return { [name]: version }
  } catch {
    return {}
  }
}

/** A run goes on only on what it began on; data that changed is told by the trainer, which opens it anyway. */
export async function checkUnchanged({ id, resolved }: RunManifest): Promise<void> {
  for (const [what, path] of [['backbone', resolved.backbonePath], ['data', resolved.dataPath]] as const) {
    if (!statSync(path, { throwIfNoEntry: false })) throw new AppError('run-state', `Run ${id} cannot go on: its ${what} ${path} is gone. Put it back, then resume.`)
  }
  if (await hashModel(resolved.backbonePath) !== resolved.backboneHash) {
    throw new AppError('run-state', `Run ${id} cannot go on: the weights in ${resolved.backbonePath} are not those it began with.`)
  }
}
