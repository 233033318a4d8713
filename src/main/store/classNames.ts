import { relative } from 'node:path'
import { z } from 'zod'
import { nameProblems, tidyName } from '../contract/classNames'
import { AppError } from '../contract/errors'
import { writeJsonAtomic } from './atomic'
import { readJson } from './jsonFile'
import { isInside } from './paths'

/** Pairs, because a class may be called as a property of every object is. */
const File = z.object({ format: z.literal(1), datasets: z.array(z.object({ at: z.string(), names: z.array(z.tuple([z.string(), z.string()])) })) })

/** Readable names of classes, kept in the workspace by where the data lies; the data itself stays as it is. */
export interface ClassNames {
  /** One name for each class; as in the data, where the data changed and two would be called the same. */
  of(path: string, classes: readonly string[]): string[]
  set(path: string, classes: readonly string[], names: readonly string[]): void
}

export function openClassNames(file: string, resources: string): ClassNames {
  const read = () => readJson(file, File, () => ({ format: 1 as const, datasets: [] })).datasets
  // An installation may be somewhere else next time.
  const placeOf = (path: string) => isInside(resources, path) ? relative(resources, path) : path
  return {
    of(path, classes) {
      const at = placeOf(path), given = new Map(read().find(one => one.at === at)?.names)
      const names = classes.map(name => given.get(name) ?? name)
      return new Set(names).size === names.length ? names : [...classes]
    },
    set(path, classes, names) {
      refuse(classes, names)
      const at = placeOf(path), others = read().filter(one => one.at !== at)
      const given = classes.map((name, i) => [name, names[i] === name ? name : tidyName(names[i]!)] as [string, string]).filter(([name, given]) => given !== name)
      writeJsonAtomic(file, { format: 1, datasets: given.length > 0 ? [...others, { at, names: given }] : others } satisfies z.infer<typeof File>)
    },
  }
}

function refuse(classes: readonly string[], names: readonly string[]): void {
  const wrong = (message: string) => new AppError('bad-input', message, { field: 'names' })
  if (names.length !== classes.length) throw wrong(`There are ${names.length} names for ${classes.length} classes: give one for each.`)
  const problems = nameProblems(names, classes), at = problems.findIndex(problem => problem !== null)
  if (at >= 0) throw wrong(`Class ${at} ("${classes[at]}"): ${problems[at]}`)
}
