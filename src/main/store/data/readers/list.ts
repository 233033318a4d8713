import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { byNumber, numberClasses } from '../classes'
import { errno, invalid, openFailure, unreadable, reasonOf } from '../failures'
import { addressOf, fingerprintFiles } from '../fingerprint'
import type { Labelled } from '../layout'
import { datasetName } from '../names'
import type { DatasetSource, SplitName } from '../types'
import { readImageFile } from './folder'

/** The lists that a folder may have, by split; the first that exists counts. VTAB's come first. */
const known: Record<SplitName, string[]> = {
  train: ['train800.txt', 'train.txt', 'train800val200.txt'],
  validation: ['val200.txt', 'val.txt', 'valid.txt', 'validation.txt'],
  test: ['test.txt'],
}
const ending = /\.(txt|csv|tsv|lst)$/i
export const isListName = (name: string): boolean => ending.test(name)

interface Line extends Labelled { list: string; line: number }

/** The list files of a folder by split, or null when it has none for training. */
export async function listsIn(folder: string): Promise<Partial<Record<SplitName, string>> | null> {
  const names = new Set(await readdir(folder))
  const found: Partial<Record<SplitName, string>> = {}
  for (const [split, candidates] of Object.entries(known) as [SplitName, string[]][]) {
    const name = candidates.find(candidate => names.has(candidate))
    if (name) found[split] = name
  }
  if (!found.train) return null
  // The list of all thousand contains the two hundred: together they would train on what validates.
  if (found.train === 'train800val200.txt' || (found.train !== 'train800.txt' && found.validation === 'val200.txt')) delete found.validation
  return found
}

/** Opens images that text files list, `path label` on each line: a folder of such lists, or one. */
export async function openList(path: string): Promise<DatasetSource> {
  const alone = !(await stat(path)).isDirectory()
  const folder = alone ? dirname(path) : path
  const lists = alone ? { train: path.slice(folder.length).replace(/^[\\/]/, '') } : (await listsIn(folder)) ?? {}
  const lines: Line[] = []
  for (const [split, name] of Object.entries(lists) as [SplitName, string][]) lines.push(...(await readList(folder, name, split)))
  checkLabels(lines)
  const files = lines.map(line => ({ name: line.file, path: resolve(folder, line.file) }))
  const fingerprint = await fingerprintFiles(files, (i, thrown) => { throw fileFailure(lines[i]!, folder, thrown) })
  const { classes, samples } = numberClasses(lines, path, byNumber)
  return {
    kind: 'list', name: datasetName(path), path, classes, samples, fingerprint: addressOf([fingerprint, ...lines.map(line => `${line.split} ${line.label}`)]), notices: [],
    validationFromTrain: lists.train === 'train800.txt',
    read: sample => readImageFile(resolve(folder, sample.file)),
    close: async () => undefined,
  }
}

async function readList(folder: string, name: string, split: SplitName): Promise<Line[]> {
  const list = join(folder, name)
  const text = await readFile(list, 'utf8').catch((thrown: unknown) => { throw openFailure(list, thrown) })
  if (text.includes('\0')) throw unreadable(`${list} is not a text file: choose a list with one image path and its label on each line.`)
  const lines: Line[] = []
  text.split(/\r?\n/).forEach((raw, i) => {
    const content = raw.replace(/^\uFEFF/, '').trim()
    if (content === '' || content.startsWith('#')) return
    // Spreadsheets quote what they like. Else the label is the last word, so that paths may contain spaces; commas count where there is no space.
    const match = /^"([^"]+)"\s*[,\t]\s*"?([^",]+?)"?$/.exec(content) ?? /^([^"\s]+),"([^"]+)"$/.exec(content) ?? /^(.*\S)\s+(\S+)$/.exec(content) ?? /^(.+),([^,]+)$/.exec(content)
    if (!match) throw invalid(`${list}, line ${i + 1}: "${content.slice(0, 80)}" is not an image path and a label with a space between them: mend the line.`)
    lines.push({ split, file: match[1]!.replace(/,$/, '').replaceAll('\\', '/'), label: match[2]!, list, line: i + 1 })
  })
  if (lines[0] && isHeader(lines[0])) lines.shift()
  if (lines.length === 0) throw invalid(`${list} is empty: it needs one image path and its label on each line.`)
  return lines
}

/** The names of columns, as spreadsheets and Kaggle's lists have them: `image_path,label`. */
function isHeader({ file, label }: Line): boolean {
  const [name, value] = [file, label].map(word => word.toLowerCase().replace(/[\s_-]/g, '')) as [string, string]
  return /^(image|img|file|path|name|id)(file)?(path|name|id)?$/.test(name) && /^(labels?|class|category|target)(name|id)?$/.test(value)
}

function checkLabels(lines: readonly Line[]): void {
  const numbers = lines.filter(line => /^-?\d+$/.test(line.label))
  const negative = numbers.find(line => line.label.startsWith('-'))
  if (negative) throw invalid(`${negative.list}, line ${negative.line}: the label ${negative.label} is out of range, labels count from 0.`)
  const word = numbers.length > lines.length / 2 ? lines.find(line => !/^\d+$/.test(line.label)) : undefined
  if (word) throw invalid(`${word.list}, line ${word.line}: the label "${word.label}" is not a number as the other labels are: mend the line.`)
  const trained = new Set(lines.flatMap(line => (line.split === 'train' ? [line.label] : [])))
  const stranger = lines.find(line => !trained.has(line.label))
  if (stranger) throw invalid(`${stranger.list}, line ${stranger.line}: the label ${stranger.label} does not occur in the training list: mend the line or add training images of it.`)
}

function fileFailure(line: Line, folder: string, thrown: unknown): Error {
  const what = errno(thrown) === 'ENOENT' ? 'does not exist' : `cannot be read (${reasonOf(thrown)})`
  return invalid(`${line.list}, line ${line.line}: ${resolve(folder, line.file).slice(0, 300)} ${what}: mend the path or remove the line.`, thrown)
}
