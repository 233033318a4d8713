import { setImmediate } from 'node:timers/promises'
import type { CheckpointCard, PruneInput, PruneReport, PruneRule } from '../contract/checkpoint'
import { AppError } from '../contract/errors'
import { breather } from '../store/breathe'
import { checkpointCards, clearLeftovers, pinCheckpoint, removeCheckpoint } from '../store/checkpoints'
import { liveRunLock } from '../store/runFolder'
import type { Deps } from './deps'
import { planPrune, type PrunedRun } from './prunePlan'

/** The checkpoints of runs. */
export function createCheckpoints({ store }: Deps) {
  const folderOf = (run: string) => {
    store.manifest(run)
    return store.folder(run)
  }
  const isBusy = (run: string) => liveRunLock(store.folder(run)) !== null

  async function cardsOf(runs: readonly string[]): Promise<CheckpointCard[]> {
    const cards: CheckpointCard[] = [], breathe = breather()
    for (const run of runs) {
      cards.push(...checkpointCards(store.folder(run)))
      await breathe()
    }
    return cards
  }

  /** Parts of checkpoints that a killed pruning took away are in no list, so nothing else would ever free their space. */
  async function clear(runs: readonly string[]): Promise<void> {
    const breathe = breather()
    for (const run of runs) {
      clearLeftovers(store.folder(run))
      await breathe()
    }
  }

  async function preview(rule: PruneRule): Promise<PruneReport> {
    for (const run of rule.runs ?? []) store.manifest(run)
    const wanted = rule.runs && new Set(rule.runs)
    const runs = (await store.latest()).filter(({ id }) => !wanted || wanted.has(id))
    const facts = new Map(runs.map(({ id, status }): [string, PrunedRun] => [id, { busy: isBusy(id), finished: status === 'finished' }]))
    await clear(runs.map(({ id }) => id).filter(id => !facts.get(id)!.busy))
    return planPrune(await cardsOf(runs.map(({ id }) => id)), facts, rule)
  }

  return {
    list: ({ run }: { run: string }) => checkpointCards(folderOf(run)),
    /** Of every run, in one answer. */
    all: async () => cardsOf((await store.latest()).map(({ id }) => id)),
    pin: ({ run, step, pinned }: { run: string; step: number; pinned: boolean }): void => pinCheckpoint(folderOf(run), step, pinned),
    remove({ run, step }: { run: string; step: number }): void {
      const folder = folderOf(run)
      if (isBusy(run)) throw new AppError('run-busy', `Run ${run} is being trained; stop it before removing its checkpoints.`)
      removeCheckpoint(folder, step)
    },
    preview,
    /** Deletes for good what was agreed to, as far as the rule still lets it go; answers with what went. */
    async prune({ rule, going: agreed }: PruneInput): Promise<PruneReport> {
      const names = new Set(agreed.map(({ run, step }) => `${run} ${step}`))
      const plan = await preview(rule)
      const gone: CheckpointCard[] = []
      for (const card of plan.going) {
        if (!names.has(`${card.run} ${card.step}`) || isBusy(card.run)) continue
        removeCheckpoint(store.folder(card.run), card.step)
        gone.push(card)
        await setImmediate()
      }
      const goneBytes = gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      return { ...plan, going: gone, goingBytes: goneBytes, kept: plan.kept + plan.going.length - gone.length, keptBytes: plan.keptBytes + plan.goingBytes - goneBytes }
    },
  }
}
