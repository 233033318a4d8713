import { count, invalid } from './failures'
import { byCodePoint } from './names'
import type { Labelled } from './layout'
import type { DataSample } from './types'

/** Puts the labels that occur in training into the order of classes. */
export type ClassOrder = (labels: readonly string[]) => string[]

/** Folders, as torchvision orders them: by code points, so that "10" comes before "9". */
export const byName: ClassOrder = labels => [...labels].sort(byCodePoint)
/** Numbers in numeric order, words by code points. */
export const byNumber: ClassOrder = labels => (labels.every(label => /^\d+$/.test(label)) ? [...labels].sort((a, b) => Number(a) - Number(b)) : byName(labels))
/** As the data itself lists its classes. */
export const listed = (names: readonly string[]): ClassOrder => labels => [...new Set(names)].filter(name => labels.includes(name))

/** Numbers the classes and refuses what cannot be trained on, in one sentence. */
export function numberClasses(labelled: readonly Labelled[], where: string, order: ClassOrder): { classes: string[]; samples: DataSample[] } {
  if (labelled.length === 0) throw invalid(`${where} holds no labelled images: choose other data.`)
  const trained = new Set<string>()
  for (const sample of labelled) if (sample.split === 'train') trained.add(sample.label)
  if (trained.size === 0) {
    throw invalid(`${where} has no training images, only ${[...new Set(labelled.map(sample => sample.split))].join(' and ')}: add a train split.`)
  }
  const stranger = labelled.find(sample => !trained.has(sample.label))
  if (stranger) {
    throw invalid(`The class "${stranger.label}" has images in ${stranger.split} (${stranger.file}) but none in train of ${where}: add training images of it or remove it.`)
  }
  const classes = order([...trained])
  if (classes.length < 2) {
    throw invalid(`${where} has only ${count(classes.length, 'class')} ("${classes[0]}"): at least two are needed, each in a folder or with a label of its own.`)
  }
  const number = new Map(classes.map((name, i) => [name, i]))
  return { classes, samples: labelled.map(({ split, file, label }, index) => ({ index, split, file, label: number.get(label)! })) }
}

export function refuseEmptyClasses(empty: readonly string[], where: string): void {
  if (empty.length > 0) throw invalid(`The class "${empty[0]}" has no images in ${where}: add some or remove its folder.`)
}
