import { count, invalid } from './failures'
import { sortLabels } from './names'
import type { Labelled } from './layout'
import type { DataSample } from './types'

/** Numbers the classes and refuses what cannot be trained on, in one sentence. */
export function numberClasses(labelled: readonly Labelled[], where: string, names?: readonly string[]): { classes: string[]; samples: DataSample[] } {
  const trained = new Set<string>()
  for (const sample of labelled) if (sample.split === 'train') trained.add(sample.label)
  if (trained.size === 0) {
    throw invalid(labelled.length === 0 ? `${where} holds no labelled images: choose other data.` : `${where} has no training images, only ${[...new Set(labelled.map(s => s.split))].join(' and ')}: add a train split.`)
  }
  const stranger = labelled.find(sample => !trained.has(sample.label) && !names?.includes(sample.label))
    ?? labelled.find(sample => !trained.has(sample.label))
  if (stranger) {
    throw invalid(`The class "${stranger.label}" has images in ${stranger.split} (${stranger.file}) but none in train of ${where}: add training images of it or remove it.`)
  }
  const classes = names ? names.filter(name => trained.has(name)) : sortLabels(trained)
  if (classes.length < 2) {
    throw invalid(`${where} has only ${count(classes.length, 'class')} ("${classes[0]}"): at least two are needed, each in a folder or with a label of its own.`)
  }
  const number = new Map(classes.map((name, i) => [name, i]))
  return { classes, samples: labelled.map(({ split, file, label }, index) => ({ index, split, file, label: number.get(label)! })) }
}

export function refuseEmptyClasses(empty: readonly string[], where: string): void {
  if (empty.length > 0) throw invalid(`The class "${empty[0]}" has no images in ${where}: add some or remove its folder.`)
}
