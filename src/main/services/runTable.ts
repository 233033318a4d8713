import type { LabelInput, RunCard } from '../contract/run'
import type { RunQuery } from '../contract/runQuery'
import type { Deps } from './deps'

const LIST_MS = 300

/** What the Runs table asks: all runs in short, and everything the index can find among them. */
export const createRunTable = ({ store }: Pick<Deps, 'store'>) => ({
  /** Every run that is known now, without sparklines; what takes longer to read comes with `changes`. */
  list(): RunCard[] {
    store.refresh(LIST_MS, Infinity)
    return store.changesSince(0).cards
  },
  /** Every run, read to the end, with sparklines. */
  cards(): RunCard[] {
    const cards = store.cards()
    const curves = new Map(store.sparklines(cards.map(({ id }) => id)).map(one => [one.run, one]))
    return cards.map(card => ({ ...card, losses: curves.get(card.id)?.losses ?? [], accuracies: curves.get(card.id)?.accuracies ?? [] }))
  },
  query: (query: RunQuery) => store.query(query),
  fields: (): string[] => store.fields(),
  values: ({ field }: { field: string }) => store.values(field),
  sparklines: ({ runs }: { runs: string[] }) => store.sparklines(runs),
  label: (change: LabelInput): void => store.label(change),
})
