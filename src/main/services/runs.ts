import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { AppError } from '../contract/errors'
import type { PlanReport } from '../contract/plan'
import type { CompareReport, RunCard, RunDetail, RunEvent, RunManifest } from '../contract/run'
import { listCheckpoints } from '../store/checkpoints'
import { parseRecipe } from '../engine/recipe'
import { hashModel } from '../store/modelHash'
import { liveRunLock } from '../store/runFolder'
import type { TrainResult } from '../worker/protocol'
import { compareRuns, firstDifference } from './compare'
import type { Deps } from './deps'
import type { Planning, Prepared } from './planning'
import { watchChanges, watchRun } from './runFeeds'
import { createTrainings } from './trainings'

export interface TrainRequest { draft: unknown; bases: readonly string[]; onEvent?: (event: RunEvent) => void }
/** `stop` asks for a graceful stop; once the training has ended it asks for nothing. */
export interface Training { run: string; folder: string; result: Promise<TrainResult>; stop(): void }

/** Runs: planned, trained, watched, compared. */
export function createRuns(deps: Deps, planning: Planning) {
  const { store, workspace } = deps
  const trainings = createTrainings(deps)
  const here = [process.cwd()]

  const training = (run: string, folder: string, resume: boolean, onEvent?: (event: RunEvent) => void): Training =>
    ({ run, folder, result: trainings.begin(run, resume, onEvent), stop: () => void trainings.stop(run) })

  /** Checks and freezes a recipe, then trains it; `result` is the end of the training. */
  async function launch({ draft, bases, onEvent }: TrainRequest): Promise<Training> {
    const prepared = await planning.prepare(draft, bases)
    const { folder, manifest } = store.create(await freeze(prepared, deps.version))
    return training(manifest.id, folder, false, onEvent)
  }

  async function relaunch(run: string, onEvent?: (event: RunEvent) => void): Promise<Training> {
    const card = store.card(run)
    if (card.status === 'running' || card.status === 'queued') throw new AppError('run-busy', `Run ${run} is ${card.status} already.`)
    if (card.resumeStep === null) throw new AppError('run-state', `Run ${run} is ${card.status}; only a stopped, interrupted or failed run can go on.`)
    await checkUnchanged(store.manifest(run))
    // Killed before its first checkpoint, a run begins again.
    return training(run, card.folder, listCheckpoints(card.folder).length > 0, onEvent)
  }

  return {
    launch, relaunch,
    /** The first field in which a recipe is not the one that a run was started with; names and places aside. */
    differsFrom: (run: string, draft: unknown): string | null => firstDifference(store.manifest(run).recipe, parseRecipe(draft).recipe),
    planFrom: planning.plan,
    plan: (draft: unknown): Promise<PlanReport> => planning.plan(draft, here),
    async start(draft: unknown): Promise<{ run: string }> {
      const { run, result } = await launch({ draft, bases: here })
      quietly(result)
      return { run }
    },
    async resume({ run }: { run: string }): Promise<void> {
      quietly((await relaunch(run)).result)
    },
    stop({ run }: { run: string }): void {
      const { status } = store.card(run)
      if (status !== 'running' && status !== 'queued') throw new AppError('run-state', `Run ${run} is ${status}; there is nothing to stop.`)
      if (trainings.stop(run)) return
      const lock = liveRunLock(store.folder(run))
      // Another program of ours trains it; its trainer takes SIGTERM as a request to save and stop.
      if (lock) process.kill(lock.pid, 'SIGTERM')
    },
    list: (): RunCard[] => store.cards(),
    show: ({ run }: { run: string }): RunDetail => ({ card: store.card(run), manifest: store.manifest(run) }),
    compare: ({ runs }: { runs: string[] }): CompareReport => compareRuns(runs.map(run => ({ card: store.card(run), manifest: store.manifest(run) }))),
    remove: ({ run }: { run: string }): void => store.remove(run),
    watch: ({ run, after }: { run: string; after: number }, emit: (events: RunEvent[]) => void) => watchRun(store, run, after, emit),
    changes: (_: void, emit: (cards: RunCard[]) => void) => watchChanges(store, emit),
    /** Asks every training of this process to stop, and waits until all have saved. */
    stopAll: () => trainings.stopAll(),
    training: (): string[] => trainings.list(),
    workspace: workspace.root,
  }
}
export type Runs = ReturnType<typeof createRuns>

/** How a run ends is told by its events and its card, not by who started it. */
const quietly = (result: Promise<unknown>): void => void result.catch(() => {})

async function freeze({ resolved, backbone, data, facts, plan }: Prepared, version: string): Promise<Parameters<Deps['store']['create']>[0]> {
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
      classes: [...facts.classes], trainable: plan.trainable.total, learningRate,
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
async function checkUnchanged({ id, resolved }: RunManifest): Promise<void> {
  for (const [what, path] of [['backbone', resolved.backbonePath], ['data', resolved.dataPath]] as const) {
    if (!statSync(path, { throwIfNoEntry: false })) throw new AppError('run-state', `Run ${id} cannot go on: its ${what} ${path} is gone. Put it back, then resume.`)
  }
  if (await hashModel(resolved.backbonePath) !== resolved.backboneHash) {
    throw new AppError('run-state', `Run ${id} cannot go on: the weights in ${resolved.backbonePath} are not those it began with.`)
  }
}
