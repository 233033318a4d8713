import { join } from 'node:path'
import { type LabelInput, RunLabels } from '../contract/run'
import { writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'

/** Tags, favourite, note, archive and pinned checkpoints of a run lie beside run.json, which never changes. */
const labelsFile = (runFolder: string) => join(runFolder, 'labels.json')

export const readLabels = (runFolder: string): RunLabels => readJson(labelsFile(runFolder), RunLabels, () => RunLabels.parse({}))

export function changeLabels(runFolder: string, change: Omit<LabelInput, 'runs'>): void {
  const before = readLabels(runFolder)
  const tags = [...new Set([...before.tags, ...change.addTags])].filter(tag => !change.removeTags.includes(tag))
  keep(runFolder, before, { favourite: change.favourite ?? before.favourite, archived: change.archived ?? before.archived, note: change.note ?? before.note, tags, pins: before.pins })
}

/** Whether a checkpoint is pinned; null forgets what was said, for one that is gone. */
export function changePin(runFolder: string, step: number, pinned: boolean | null): void {
  const before = readLabels(runFolder)
  const { [String(step)]: _, ...others } = before.pins
  keep(runFolder, before, { ...before, pins: pinned === null ? others : { ...others, [String(step)]: pinned } })
}

function keep(runFolder: string, before: RunLabels, after: RunLabels): void {
  const checked = RunLabels.parse(after)
  if (JSON.stringify(checked) !== JSON.stringify(before)) writeJsonAtomic(labelsFile(runFolder), checked)
}
