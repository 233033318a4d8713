import { RunView } from '@contract/runQuery'
import { defaultColumns } from './columns'

const view = (id: string, title: string, filters: RunView['query']['filters']): RunView => RunView.parse({ id, title, query: { filters }, columns: defaultColumns })
const kept = { field: 'archived', values: [false], not: false }

/** The views that every workspace has. */
export const standingViews: readonly RunView[] = [
  view('all', 'All', [kept]),
  view('running', 'Running', [kept, { field: 'status', values: ['running', 'queued'], not: false }]),
  view('attention', 'To resume or mend', [kept, { field: 'status', values: ['interrupted', 'failed', 'stopped'], not: false }]),
  view('favourites', 'Favourites', [kept, { field: 'favourite', values: [true], not: false }]),
  view('archived', 'Archived', [{ field: 'archived', values: [true], not: false }]),
]
/** Filters that a view stands for itself are not shown as chips. */
export const ownFilters = (id: string): RunView['query']['filters'] => standingViews.find(one => one.id === id)?.query.filters ?? [kept]
