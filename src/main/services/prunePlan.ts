import type { CheckpointCard, PruneReport, PruneRule } from '../contract/checkpoint'

/** What the rule must know of a run beside its checkpoints. */
export interface PrunedRun { busy: boolean; finished: boolean }

/** Which checkpoints a rule lets go, oldest first. Applied again to what it left, it lets no more go. */
export function planPrune(cards: readonly CheckpointCard[], runs: ReadonlyMap<string, PrunedRun>, rule: PruneRule): PruneReport {
  const spaced = rule.everySteps === null ? new Set<CheckpointCard>() : firstOfEach(cards, rule.everySteps)
  const stays = (card: CheckpointCard): boolean => {
    const { busy, finished } = runs.get(card.run) ?? { busy: true, finished: false }
    return busy || card.best || card.pinned || (card.last && (rule.last || !finished)) || spaced.has(card)
  }
  const open = cards.filter(card => !stays(card)).sort((a, b) => a.savedAt - b.savedAt)
  const total = bytesOf(cards)
  const going = rule.budgetBytes === null ? open : untilWithin(open, total - rule.budgetBytes)
  const goingBytes = bytesOf(going)
  const busy = [...new Set(cards.map(({ run }) => run))].filter(run => runs.get(run)?.busy)
  return { going, goingBytes, kept: cards.length - going.length, keptBytes: total - goingBytes, busy }
}

const bytesOf = (cards: readonly CheckpointCard[]): number => cards.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** The first of each run in each `every` steps. */
function firstOfEach(cards: readonly CheckpointCard[], every: number): Set<CheckpointCard> {
  const first = new Map<string, CheckpointCard>()
  for (const card of [...cards].sort((a, b) => a.step - b.step)) {
    const place = `${card.run} ${Math.floor(card.step / every)}`
    if (!first.has(place)) first.set(place, card)
  }
  return new Set(first.values())
}

function untilWithin(cards: readonly CheckpointCard[], excess: number): CheckpointCard[] {
  let freed = 0
  return cards.filter(({ sizeBytes }) => {
    const needed = freed < excess
    if (needed) freed += sizeBytes
    return needed
  })
}
