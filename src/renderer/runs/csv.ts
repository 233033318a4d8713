import type { RunCard } from '@contract/run'
import { csvLine } from '../lib/download'

const cells: [head: string, cell: (run: RunCard) => string | number | null | undefined][] = [
  ['run', run => run.id], ['name', run => run.name], ['status', run => run.status], ['backbone', run => run.backbone], ['data', run => run.data], ['method', run => run.method],
  ['san', run => run.san ? 'yes' : 'no'], ['seed', run => run.seed], ['trainable', run => run.trainable], ['best', run => run.best?.value], ['best metric', run => run.best?.metric], ['best step', run => run.best?.step],
  ['step', run => run.step], ['steps', run => run.steps], ['seconds', run => run.seconds], ['images per second', run => run.imagesPerSecond], ['peak memory bytes', run => run.peakMemory],
  ['started', run => new Date(run.createdAt).toISOString()], ['favourite', run => run.labels.favourite ? 'yes' : 'no'], ['archived', run => run.labels.archived ? 'yes' : 'no'], ['tags', run => run.labels.tags.join(' ')], ['note', run => run.labels.note],
]

/** Runs as a CSV file: every card field, then a column for each metric that any of them has. */
export function csvOf(runs: readonly RunCard[]): string {
  const metrics = [...new Set(runs.flatMap(run => Object.keys(run.metrics)))].sort()
  const lines = runs.map(run => csvLine([...cells.map(([, cell]) => cell(run)), ...metrics.map(name => run.metrics[name])]))
  return `${[csvLine([...cells.map(([head]) => head), ...metrics]), ...lines].join('\r\n')}\r\n`
}
