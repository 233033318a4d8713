import type { LabelInput, RunCard } from '../contract/run'
import type { RunQuery } from '../contract/runQuery'
import { breather } from '../store/breathe'
import type { Deps } from './deps'

const LIST_MS = 300
const LABELLED_AT_ONCE = 5

/** What the Runs table asks: all runs in short, and everything the index can find among them. */
export const createRunTable = ({ store }: Pick<Deps, 'store'>) => ({
  /** Every run that is known now, without sparklines; what takes longer to read or to compare with the disk comes with `changes`. */
  list(): RunCard[] {
    store.refresh(LIST_MS, 0)
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
  /** Each run's labels are a file of its own that waits for the disk: thousands are written a few at a time. */
  async label({ runs, ...change }: LabelInput): Promise<void> {
    const breathe = breather()
    for (let at = 0; at < runs.length; at += LABELLED_AT_ONCE) {
      store.label({ ...change, runs: runs.slice(at, at + LABELLED_AT_ONCE) })
      await breathe()
    }
  },
})
