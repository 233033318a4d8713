import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { RunCard } from '../contract/run'
import { Sweep, type SweepStart, sweepRounds } from '../contract/sweep'
import { expandSweep } from '../engine/sweep'
import { parseRecipe } from '../engine/recipe'
import { writeJsonAtomic } from '../store/atomic'
import { readJson } from '../store/jsonFile'
import type { Deps } from './deps'
import type { Queue } from './queue'

/** Written once; how far a sweep is, its runs tell. */
const Plan = z.object({ format: z.literal(1), id: z.string(), epochs: z.int(), sweep: Sweep })

const SETTLED = ['finished', 'stopped', 'failed']

/** Sweeps: their first round is queued at once; halving queues the next one when all runs of a round have ended. */
export function createSweeps({ store, workspace }: Deps, queue: Queue) {
  const fileOf = (id: string) => join(workspace.sweeps, `${id}.json`)

  async function start({ recipe, sweep }: SweepStart): Promise<{ sweep: string; runs: string[] }> {
    const id = `sweep-${new Date().toISOString().replace(/\D/g, '').slice(2, 17)}`
    const { epochs } = parseRecipe(expandSweep(recipe, sweep)[0]).recipe.train
    const recipes = expandSweep(recipe, sweep).map(one => sweep.search === 'halving' ? withEpochs(one, sweepRounds(sweep, epochs)[0]!.epochs) : one)
    if (sweep.search === 'halving') {
      mkdirSync(workspace.sweeps, { recursive: true })
      writeJsonAtomic(fileOf(id), { format: 1, id, epochs, sweep } satisfies z.infer<typeof Plan>)
    }
    const { runs } = await queue.add({ recipes, origin: { sweep: id, rung: 0 } })
    return { sweep: id, runs }
  }

  async function promote(id: string): Promise<void> {
    const plan = existsSync(fileOf(id)) ? readJson(fileOf(id), Plan.nullable(), () => null) : null
    if (!plan) return
    const rounds = sweepRounds(plan.sweep, plan.epochs)
    const runs = (await store.latest()).filter(({ origin }) => origin?.sweep === id)
    const rung = Math.max(-1, ...runs.map(({ origin }) => origin?.rung ?? 0))
    const next = rounds[rung + 1]
    const current = runs.filter(({ origin }) => origin?.rung === rung)
    if (!next || rung < 0 || !current.every(({ status }) => SETTLED.includes(status))) return
    const recipes = bestOf(current, next.runs).map(({ id: run }) => withEpochs(store.manifest(run).recipe, next.epochs))
    if (recipes.length > 0) await queue.add({ recipes, origin: { sweep: id, rung: rung + 1 } })
  }

  // One after the other: two runs that end together must not both find their round complete.
  let turn: Promise<void> = Promise.resolve()
  const consider = (id: string) => turn = turn.then(() => promote(id)).catch(() => { /* data or backbone are gone: the round waits for the next start */ })
  queue.onEnded(run => {
    const id = existsSync(store.folder(run)) ? store.manifest(run).origin?.sweep : undefined
    if (id) void consider(id)
  })

  return {
    start,
    /** Rounds that ended while no window was there to queue the next. */
    async open(): Promise<void> {
      if (!existsSync(workspace.sweeps)) return
      for (const name of readdirSync(workspace.sweeps)) if (name.endsWith('.json')) await consider(name.slice(0, -5))
    },
  }
}

const withEpochs = (recipe: Record<string, unknown>, epochs: number): Record<string, unknown> => {
  const train = (recipe['train'] ?? {}) as { warmupEpochs?: number }
  // A round shorter than the warm-up would be all warm-up.
  return { ...recipe, train: { ...train, epochs, warmupEpochs: Math.min(train.warmupEpochs ?? 1, Math.floor(epochs / 2)) } }
}

function bestOf(runs: readonly RunCard[], count: number): RunCard[] {
  const scored = runs.flatMap(run => run.best && run.status !== 'failed' ? [{ run, score: run.best.metric.endsWith('loss') ? -run.best.value : run.best.value }] : [])
  return scored.sort((a, b) => b.score - a.score).slice(0, count).map(({ run }) => run)
}
