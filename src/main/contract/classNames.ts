import { z } from 'zod'

export const LONGEST_CLASS_NAME = 100

/** Readable names of a dataset's classes, one each, in the order of the data. A class named as in the data has no name of its own. */
export const ClassNamesInput = z.object({ id: z.string().min(1).max(4096), names: z.array(z.string().max(4096)).max(100_000) })

export const tidyName = (name: string): string => name.trim().replace(/\s+/g, ' ')

/** What is wrong with each name, in one sentence; null where nothing is. */
export function nameProblems(names: readonly string[], classes: readonly string[]): (string | null)[] {
  const tidy = names.map((name, i) => name === classes[i] ? name : tidyName(name))
  const first = new Map<string, number>(), last = new Map<string, number>()
  for (const [i, name] of tidy.entries()) {
    if (!first.has(name)) first.set(name, i)
    last.set(name, i)
  }
  return tidy.map((name, i) => {
    const other = first.get(name) === i ? last.get(name)! : first.get(name)!
    if (name === '') return 'The name is empty.'
    if (other !== i) return `Class ${other} has this name too.`
    return name !== classes[i] && name.length > LONGEST_CLASS_NAME ? `${name.length} characters; at most ${LONGEST_CLASS_NAME} are possible.` : null
  })
}

/** What a run's classes are called: the names they had when it began. */
export const shownNames = ({ classes, names }: { classes: readonly string[]; names?: readonly string[] | undefined }): readonly string[] => names ?? classes
