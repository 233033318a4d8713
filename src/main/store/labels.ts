import { join } from 'node:path'
import { type LabelInput, RunLabels } from '../contract/run'
import { writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'

/** Tags, favourite, note and archive of a run lie beside run.json, which never changes. */
const labelsFile = (runFolder: string) => join(runFolder, 'labels.json')

export const readLabels = (runFolder: string): RunLabels => readJson(labelsFile(runFolder), RunLabels, () => RunLabels.parse({}))

export function changeLabels(runFolder: string, change: Omit<LabelInput, 'runs'>): void {
  const before = readLabels(runFolder)
  const tags = [...new Set([...before.tags, ...change.addTags])].filter(tag => !change.removeTags.includes(tag))
  const after = RunLabels.parse({ favourite: change.favourite ?? before.favourite, archived: change.archived ?? before.archived, note: change.note ?? before.note, tags })
  if (JSON.stringify(after) !== JSON.stringify(before)) writeJsonAtomic(labelsFile(runFolder), after)
}
