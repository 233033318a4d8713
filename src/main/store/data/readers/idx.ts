import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { byNumber, listed, numberClasses } from '../classes'
import { invalid } from '../failures'
import { addressOf } from '../fingerprint'
import type { Labelled } from '../layout'
import { datasetName, splitOf } from '../names'
import { SPLITS, type DatasetSource, type SplitName } from '../types'
import { idxStamp, openIdxImages, readIdxLabels, type IdxImages } from './idxFile'

const pattern = /^(train|t10k|test|val|valid|validation)[-_.](images|labels)[-.]idx[1-4]-ubyte(\.gz)?$/i

interface Pair { images?: string; labels?: string }
interface Part { split: SplitName; images: IdxImages; labels: Uint8Array }

export const isIdxName = (name: string): boolean => pattern.test(name)

/** Opens MNIST's idx files, packed or not: a folder of them, or any one of them, which stands for its folder. */
export async function openIdx(path: string): Promise<DatasetSource> {
  const folder = (await stat(path)).isDirectory() ? path : dirname(path)
  const pairs = pairUp((await readdir(folder)).filter(isIdxName), folder)
  const files = pairs.flatMap(([, pair]) => [pair.images, pair.labels])
  const fingerprint = addressOf(await Promise.all(files.map(async name => `${name} ${await idxStamp(join(folder, name))}`)))
  const parts: Part[] = []
  const closeAll = async () => { for (const part of parts) await part.images.close() }
  try {
    for (const [split, pair] of pairs) parts.push(await openPart(split, join(folder, pair.images), join(folder, pair.labels)))
    const at = parts.flatMap(part => Array.from(part.labels, (_, i) => ({ images: part.images, i })))
    const labelled = parts.flatMap(part => Array.from(part.labels, (label, i): Labelled => ({ split: part.split, file: `${part.split}/${i}`, label: String(label) })))
    const names = await namesIn(folder)
    const { classes, samples } = numberClasses(names ? named(labelled, names, folder) : labelled, folder, names ? listed(names) : byNumber)
    return {
      kind: 'idx', name: datasetName(basename(folder) === 'raw' ? dirname(folder) : folder), path, classes, samples, fingerprint, notices: [], validationFromTrain: false,
      read: sample => at[sample.index]!.images.read(at[sample.index]!.i),
      close: closeAll,
    }
  } catch (thrown) {
    await closeAll()
    throw thrown
  }
}

function pairUp(names: readonly string[], folder: string): [SplitName, Required<Pair>][] {
  const pairs = new Map<SplitName, Pair>()
  for (const name of [...names].sort()) {
    const [, part, what] = pattern.exec(name)!
    const split = part!.toLowerCase() === 't10k' ? 'test' : splitOf(part!)!
    const pair = pairs.get(split) ?? {}
    pairs.set(split, pair)
    // The unpacked file sorts before its .gz and is quicker to read.
    pair[what!.toLowerCase() as keyof Pair] ??= name
  }
  return SPLITS.flatMap(split => (pairs.has(split) ? [split] : [])).map(split => {
    const { images, labels } = pairs.get(split)!
    if (images && labels) return [split, { images, labels }]
    throw invalid(`${folder} has ${images ?? labels} but not its file of ${images ? 'labels' : 'images'}: put both into the folder.`)
  })
}

async function openPart(split: SplitName, imagePath: string, labelPath: string): Promise<Part> {
  const labels = await readIdxLabels(labelPath)
  const images = await openIdxImages(imagePath)
  if (images.count === labels.length) return { split, images, labels }
  await images.close()
  throw invalid(`${imagePath} has ${images.count} images but ${basename(labelPath)} has ${labels.length} labels: they do not belong together.`)
}

/** The names of the classes, where the folder lists them in classes.txt, one a line. */
async function namesIn(folder: string): Promise<string[] | null> {
  const text = await readFile(join(folder, 'classes.txt'), 'utf8').catch(() => null)
  return text === null ? null : text.split(/\r?\n/).map(line => line.trim()).filter(line => line !== '')
}

function named(labelled: readonly Labelled[], names: readonly string[], folder: string): Labelled[] {
  const over = labelled.find(sample => Number(sample.label) >= names.length)
  if (over) throw invalid(`Label ${over.label} of ${over.file} is out of range: classes.txt in ${folder} names only ${names.length} classes.`)
  return labelled.map(sample => ({ ...sample, label: names[Number(sample.label)]! }))
}
